{
  'targets': [
    {
      'target_name': 'raw',
      'sources': ['raw.c'],
      'cflags': ['-O2', '-Wall', '-Wextra', '-Wno-unused-parameter', '-fvisibility=hidden'],
      'defines': ['NAPI_VERSION=8'],
    },
  ],
}
