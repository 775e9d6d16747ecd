/*
 * What Node cannot do for RSVP on Linux, and no more: raw sockets of protocol 46 that intercept packets with the Router
 * Alert option, and sockets (raw or UDP) that tell by which interface a packet came in, and are told by which one, from
 * which address and with which TTL it is to leave.
 *
 * Packets cross between C and JavaScript in batches: one buffer of records, so that the price of a call is shared.
 * `rsvp/io/records.ts` is the other side of `struct record`.
 *
 * The kernel decides the rest:
 * - A raw IPv4 socket with IP_ROUTER_ALERT gets what would be forwarded with that option; the kernel then forwards it no
 *   more, and puts fragments together before.
 * - IPv6 gives such packets, whole and not put together, to sockets of IPPROTO_RAW alone (kind INTERCEPT).
 * - IP_TRANSPARENT lets a packet carry somebody else's source address with the kernel still fragmenting it, which it
 *   does not do for IP_HDRINCL.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <node_api.h>
#include <uv.h>

#ifndef IPV6_ROUTER_ALERT_ISOLATE
#define IPV6_ROUTER_ALERT_ISOLATE 30
#endif

enum { RSVP = 46, BATCH = 64, LARGEST = 65536, CONTROL = 256, RECEIVED_DROPS = 8, MEMINFO = 9 };

/* Kinds of socket, as records.ts numbers them. */
enum { RAW4, RAW6, INTERCEPT6, UDP4, UDP6, KINDS };

/* What the callback is told first. */
enum { PACKETS, WRITABLE, FAILED };

enum { ROUTER_ALERT = 1, HAS_SOURCE = 2 };

/* Ahead of each packet's octets, which are filled up to a multiple of four. In the machine's order of octets. */
struct record {
  uint32_t length;
  uint32_t interface;
  uint32_t ttl;
  uint32_t flags;
  uint32_t port;      /* UDP, when sent */
  uint32_t error;     /* errno, of one that was not sent */
  uint8_t source[16]; /* IPv4: the first four */
  uint8_t destination[16];
};

/* One environment's: the memory that a batch is received into, and what a batch is described with. */
struct edge {
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  struct sockaddr_storage names[BATCH];
  _Alignas(struct cmsghdr) char control[BATCH][CONTROL];
  uint8_t (*octets)[LARGEST];
};

struct raw_socket {
  uv_poll_t poll;
  napi_env env;
  struct edge *edge;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  int fd;
  int kind;
  bool reads;
  bool writes;
  bool closing;
  bool ends;   /* its environment does */
  int holders; /* the poll handle and the JavaScript value */
};

static bool is_ipv4(int kind) { return kind == RAW4 || kind == UDP4; }
static bool is_udp(int kind) { return kind == UDP4 || kind == UDP6; }
static uint32_t padded(uint32_t length) { return (length + 3) & ~3u; }

/* Throws where N-API fails, with the caller's frame left at once. */
#define TRY(call)                                                     \
  do {                                                                \
    if ((call) != napi_ok) {                                          \
      bool pending = false;                                           \
      napi_is_exception_pending(env, &pending);                       \
      if (!pending) napi_throw_type_error(env, NULL, "raw: " #call);  \
      return NULL;                                                    \
    }                                                                 \
  } while (0)

static napi_value throw_errno(napi_env env, const char *what, int error) {
  char text[160];
  snprintf(text, sizeof text, "%s: %s", what, strerror(error));
  napi_throw_error(env, uv_err_name(-error), text);
  return NULL;
}

/* ---- receiving ---- */

/* What the kernel told about message `i`; where the packet's RSVP octets begin and end. False: it is not for us. */
static bool describe(const struct raw_socket *s, int i, struct record *record, const uint8_t **octets) {
  struct edge *edge = s->edge;
  struct msghdr *header = &edge->messages[i].msg_hdr;
  uint32_t size = edge->messages[i].msg_len;
  const uint8_t *packet = edge->octets[i];
  memset(record, 0, sizeof *record);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      record->interface = info.ipi_ifindex;
      memcpy(record->destination, &info.ipi_addr, 4);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      record->interface = info.ipi6_ifindex;
      memcpy(record->destination, &info.ipi6_addr, 16);
    } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
               (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
      int ttl;
      memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
      record->ttl = ttl;
    }
  }
  *octets = packet;
  record->length = size;
  if (s->kind == RAW4) {
    /* With its IP header, which the kernel has checked. */
    uint32_t start = size < 20 ? 20 : (packet[0] & 15u) * 4;
    if (size < start) return false;
    record->ttl = packet[8];
    memcpy(record->source, packet + 12, 4);
    memcpy(record->destination, packet + 16, 4);
    *octets = packet + start;
    record->length = size - start;
  } else if (s->kind == INTERCEPT6) {
    /* The option alone brought it here: what it carries is looked at in JavaScript, behind the extension headers. */
    if (size < 40 || packet[0] >> 4 != 6) return false;
    record->ttl = packet[7];
    memcpy(record->source, packet + 8, 16);
    memcpy(record->destination, packet + 24, 16);
  } else if (s->kind == UDP4) {
    memcpy(record->source, &((struct sockaddr_in *)header->msg_name)->sin_addr, 4);
  } else {
    memcpy(record->source, &((struct sockaddr_in6 *)header->msg_name)->sin6_addr, 16);
  }
  return true;
}

/* Calls back into JavaScript; what it throws becomes an uncaught exception, as of any callback. */
static void notify(struct raw_socket *s, uint32_t what, napi_value value) {
  napi_env env = s->env;
  napi_value callback, global, first, second = value, result;
  if (napi_get_reference_value(env, s->callback, &callback) != napi_ok || !callback) return;
  if (napi_get_global(env, &global) != napi_ok || napi_create_uint32(env, what, &first) != napi_ok) return;
  if (!second && napi_get_undefined(env, &second) != napi_ok) return;
  napi_value arguments[] = {first, second};
  if (napi_make_callback(env, s->context, global, callback, 2, arguments, &result) == napi_pending_exception) {
    napi_value exception;
    if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
  }
}

static void notify_failed(struct raw_socket *s, int error) {
  napi_value value;
  if (napi_create_int32(s->env, error, &value) == napi_ok) notify(s, FAILED, value);
}

/* One batch and no more, so that a flood leaves the loop's other handles their turn. */
static void receive(struct raw_socket *s) {
  struct edge *edge = s->edge;
  for (int i = 0; i < BATCH; i++) {
    edge->parts[i] = (struct iovec){edge->octets[i], LARGEST};
    edge->messages[i].msg_hdr = (struct msghdr){.msg_name = &edge->names[i],
                                                .msg_namelen = sizeof edge->names[i],
                                                .msg_iov = &edge->parts[i],
                                                .msg_iovlen = 1,
                                                .msg_control = edge->control[i],
                                                .msg_controllen = CONTROL};
  }
  int count = recvmmsg(s->fd, edge->messages, BATCH, MSG_DONTWAIT, NULL);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) notify_failed(s, errno);
    return;
  }
  struct record records[BATCH];
  const uint8_t *octets[BATCH];
  bool wanted[BATCH];
  size_t size = 0;
  for (int i = 0; i < count; i++) {
    wanted[i] = describe(s, i, &records[i], &octets[i]);
    if (wanted[i]) size += sizeof(struct record) + padded(records[i].length);
  }
  if (size == 0) return;
  napi_value buffer;
  uint8_t *to;
  if (napi_create_buffer(s->env, size, (void **)&to, &buffer) != napi_ok) return;
  for (int i = 0; i < count; i++) {
    if (!wanted[i]) continue;
    memcpy(to, &records[i], sizeof(struct record));
    to += sizeof(struct record);
    memcpy(to, octets[i], records[i].length);
    memset(to + records[i].length, 0, padded(records[i].length) - records[i].length);
    to += padded(records[i].length);
  }
  notify(s, PACKETS, buffer);
}

static void arm(struct raw_socket *s);

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct raw_socket *s = poll->data;
  napi_handle_scope scope;
  if (s->closing || napi_open_handle_scope(s->env, &scope) != napi_ok) return;
  if (status < 0) {
    notify_failed(s, -status);
  } else {
    if (events & UV_READABLE) receive(s);
    if (!s->closing && (events & UV_WRITABLE)) {
      s->writes = false;
      arm(s);
      notify(s, WRITABLE, NULL);
    }
  }
  napi_close_handle_scope(s->env, scope);
}

static void arm(struct raw_socket *s) {
  int events = (s->reads ? UV_READABLE : 0) | (s->writes ? UV_WRITABLE : 0);
  if (events) uv_poll_start(&s->poll, events, on_poll);
  else uv_poll_stop(&s->poll);
}

/* ---- opening and closing ---- */

static void let_go(struct raw_socket *s) {
  if (--s->holders == 0) free(s);
}

static void on_closed(uv_handle_t *handle) {
  struct raw_socket *s = handle->data;
  close(s->fd);
  if (!s->ends) {
    if (s->callback) napi_delete_reference(s->env, s->callback);
    if (s->context) napi_async_destroy(s->env, s->context);
  }
  if (s->hook) napi_remove_async_cleanup_hook(s->hook);
  let_go(s);
}

static void begin_close(struct raw_socket *s) {
  if (s->closing) return;
  s->closing = true;
  uv_poll_stop(&s->poll);
  uv_close((uv_handle_t *)&s->poll, on_closed);
}

/* A worker ends, or the process: N-API frees what is its own, and waits for ours. */
static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data) {
  struct raw_socket *s = data;
  s->ends = true;
  begin_close(s);
}

static void on_collected(napi_env env, void *data, void *hint) { let_go(data); }

static int set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}

/* Without these the packets would lie about interface, TTL or source: all of them must be had. */
static int configure(int fd, int kind, bool intercepts) {
  int failed = 0;
  if (is_ipv4(kind)) {
    failed |= set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    failed |= set(fd, IPPROTO_IP, IP_RECVTTL, 1);
    failed |= set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    failed |= set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    if (kind == RAW4) failed |= set(fd, IPPROTO_IP, IP_TRANSPARENT, 1);
    if (kind == RAW4 && intercepts) failed |= set(fd, IPPROTO_IP, IP_ROUTER_ALERT, 1);
  } else {
    failed |= set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    failed |= set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    failed |= set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
    failed |= set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
    if (kind == UDP6) failed |= set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (kind == RAW6) failed |= set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1);
    if (kind == INTERCEPT6) {
      /* RFC 2711 2.1: 1 is RSVP. The list of such sockets is one for all namespaces, unless told otherwise. */
      failed |= set(fd, IPPROTO_IPV6, IPV6_ROUTER_ALERT_ISOLATE, 1);
      failed |= set(fd, IPPROTO_IPV6, IPV6_ROUTER_ALERT, 1);
    }
  }
  return failed;
}

static int bind_port(int fd, int kind, uint16_t port) {
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  return kind == UDP4 ? bind(fd, (struct sockaddr *)&v4, sizeof v4) : bind(fd, (struct sockaddr *)&v6, sizeof v6);
}

/* open(kind, port, intercepts, receiveBuffer, callback): the socket, reading. */
static napi_value open_socket(napi_env env, napi_callback_info info) {
  size_t count = 5;
  napi_value arguments[5], name, value;
  uint32_t kind, port, buffer;
  bool intercepts;
  struct edge *edge;
  uv_loop_t *loop;
  TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
  TRY(napi_get_value_uint32(env, arguments[0], &kind));
  TRY(napi_get_value_uint32(env, arguments[1], &port));
  TRY(napi_get_value_bool(env, arguments[2], &intercepts));
  TRY(napi_get_value_uint32(env, arguments[3], &buffer));
  TRY(napi_get_instance_data(env, (void **)&edge));
  TRY(napi_get_uv_event_loop(env, &loop));
  TRY(napi_create_string_utf8(env, "RSVP", NAPI_AUTO_LENGTH, &name));
  if (kind >= KINDS) return throw_errno(env, "open", EINVAL);
  int protocol = is_udp(kind) ? 0 : kind == INTERCEPT6 ? IPPROTO_RAW : RSVP;
  int fd = socket(is_ipv4(kind) ? AF_INET : AF_INET6,
                  (is_udp(kind) ? SOCK_DGRAM : SOCK_RAW) | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) return throw_errno(env, "socket", errno);
  if (configure(fd, kind, intercepts) || (is_udp(kind) && bind_port(fd, kind, port))) {
    int error = errno;
    close(fd);
    return throw_errno(env, "socket options", error);
  }
  /* Beyond net.core.rmem_max where we may; what came of it is among the statistics. */
  if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, (int)buffer)) set(fd, SOL_SOCKET, SO_RCVBUF, (int)buffer);
  struct raw_socket *s = calloc(1, sizeof *s);
  int error = s ? -uv_poll_init(loop, &s->poll, fd) : ENOMEM;
  if (error) {
    free(s);
    close(fd);
    return throw_errno(env, "poll", error);
  }
  s->env = env;
  s->edge = edge;
  s->fd = fd;
  s->kind = (int)kind;
  s->poll.data = s;
  s->holders = 1;
  s->reads = true;
  /* From here on closing the poll handle is what frees. */
  if (napi_add_async_cleanup_hook(env, on_environment_end, s, &s->hook) != napi_ok ||
      napi_create_reference(env, arguments[4], 1, &s->callback) != napi_ok ||
      napi_async_init(env, NULL, name, &s->context) != napi_ok ||
      napi_create_external(env, s, on_collected, NULL, &value) != napi_ok) {
    begin_close(s);
    return throw_errno(env, "open", ENOMEM);
  }
  s->holders = 2;
  arm(s);
  return value;
}

/* The socket of a call's first argument; undefined (NULL, with an exception) where it is none or is closed. */
static struct raw_socket *socket_of(napi_env env, napi_callback_info info, size_t count, napi_value *arguments) {
  struct raw_socket *s = NULL;
  TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
  TRY(napi_get_value_external(env, arguments[0], (void **)&s));
  if (s->closing) napi_throw_error(env, "EBADF", "raw: the socket is closed");
  return s->closing ? NULL : s;
}

static napi_value close_socket(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct raw_socket *s = socket_of(env, info, 1, arguments);
  if (!s) return NULL;
  begin_close(s);
  return NULL;
}

/* refer(socket, keepsAlive): whether the socket keeps the process alive. */
static napi_value refer(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  bool keeps;
  struct raw_socket *s = socket_of(env, info, 2, arguments);
  if (!s) return NULL;
  TRY(napi_get_value_bool(env, arguments[1], &keeps));
  (keeps ? uv_ref : uv_unref)((uv_handle_t *)&s->poll);
  return NULL;
}

/* ---- sending ---- */

static struct cmsghdr *attach(struct msghdr *header, int level, int type, const void *data, size_t size) {
  struct cmsghdr *c = (struct cmsghdr *)((char *)header->msg_control + header->msg_controllen);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(c), data, size);
  header->msg_controllen += CMSG_SPACE(size);
  return c;
}

/* RFC 2113 and RFC 2711 (value 1, RSVP), filled up to the headers' units. */
static const uint8_t ALERT4[] = {148, 4, 0, 0};
static const uint8_t ALERT6[] = {0, 0, 5, 2, 0, 1, 1, 0};

static void address(const struct raw_socket *s, const struct record *record, const uint8_t *octets, int i) {
  struct edge *edge = s->edge;
  struct msghdr *header = &edge->messages[i].msg_hdr;
  int ttl = (int)record->ttl;
  edge->parts[i] = (struct iovec){(void *)octets, record->length};
  memset(edge->control[i], 0, CONTROL);
  *header = (struct msghdr){.msg_name = &edge->names[i], .msg_iov = &edge->parts[i], .msg_iovlen = 1,
                            .msg_control = edge->control[i]};
  if (is_ipv4(s->kind)) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(record->port)};
    struct in_pktinfo info = {.ipi_ifindex = (int)record->interface};
    memcpy(&name.sin_addr, record->destination, 4);
    if (record->flags & HAS_SOURCE) memcpy(&info.ipi_spec_dst, record->source, 4);
    memcpy(&edge->names[i], &name, sizeof name);
    header->msg_namelen = sizeof name;
    attach(header, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    if (ttl) attach(header, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
    if (record->flags & ROUTER_ALERT) attach(header, IPPROTO_IP, IP_RETOPTS, ALERT4, sizeof ALERT4);
  } else {
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(record->port)};
    struct in6_pktinfo info = {.ipi6_ifindex = record->interface};
    memcpy(&name.sin6_addr, record->destination, 16);
    if (record->flags & HAS_SOURCE) memcpy(&info.ipi6_addr, record->source, 16);
    if (IN6_IS_ADDR_LINKLOCAL(&name.sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&name.sin6_addr)) {
      name.sin6_scope_id = record->interface;
    }
    memcpy(&edge->names[i], &name, sizeof name);
    header->msg_namelen = sizeof name;
    attach(header, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    attach(header, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl, sizeof ttl);
    if (record->flags & ROUTER_ALERT) attach(header, IPPROTO_IPV6, IPV6_HOPOPTS, ALERT6, sizeof ALERT6);
  }
}

/*
 * send(socket, buffer): how many octets of records were taken. Where that is not all, the kernel has no room now and
 * the callback is told when it has. A record whose packet could not be sent has its `error` set.
 */
static napi_value send_batch(napi_env env, napi_callback_info info) {
  napi_value arguments[2], value;
  uint8_t *buffer;
  size_t size, done = 0;
  struct raw_socket *s = socket_of(env, info, 2, arguments);
  if (!s) return NULL;
  TRY(napi_get_buffer_info(env, arguments[1], (void **)&buffer, &size));
  bool full = false;
  while (done < size && !full) {
    struct record *records[BATCH];
    int count = 0;
    for (size_t at = done; at < size && count < BATCH; count++) {
      struct record *record = records[count] = (struct record *)(buffer + at);
      if (size - at < sizeof *record || record->length > LARGEST || size - at - sizeof *record < padded(record->length)) {
        return throw_errno(env, "send: not a record", EINVAL);
      }
      address(s, record, buffer + at + sizeof *record, count);
      at += sizeof *record + padded(record->length);
    }
    for (int first = 0; first < count && !full;) {
      int sent = sendmmsg(s->fd, s->edge->messages + first, count - first, MSG_DONTWAIT);
      full = sent < 0 && errno == EAGAIN;
      if (sent < 0 && errno != EAGAIN && errno != EINTR) records[first]->error = errno, sent = 1;
      for (; sent > 0; sent--, first++) done += sizeof(struct record) + padded(records[first]->length);
    }
  }
  if (full) {
    s->writes = true;
    arm(s);
  }
  TRY(napi_create_uint32(env, (uint32_t)done, &value));
  return value;
}

/* join(socket, group, interface, joins): a multicast group's membership there. */
static napi_value join(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  uint8_t *group;
  size_t size;
  bool joins;
  struct group_req request = {0};
  struct raw_socket *s = socket_of(env, info, 4, arguments);
  if (!s) return NULL;
  TRY(napi_get_buffer_info(env, arguments[1], (void **)&group, &size));
  TRY(napi_get_value_uint32(env, arguments[2], &request.gr_interface));
  TRY(napi_get_value_bool(env, arguments[3], &joins));
  if (size != 16) return throw_errno(env, "join", EINVAL);
  if (is_ipv4(s->kind)) {
    struct sockaddr_in name = {.sin_family = AF_INET};
    memcpy(&name.sin_addr, group, 4);
    memcpy(&request.gr_group, &name, sizeof name);
  } else {
    struct sockaddr_in6 name = {.sin6_family = AF_INET6};
    memcpy(&name.sin6_addr, group, 16);
    memcpy(&request.gr_group, &name, sizeof name);
  }
  int level = is_ipv4(s->kind) ? IPPROTO_IP : IPPROTO_IPV6;
  if (setsockopt(s->fd, level, joins ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &request, sizeof request)) {
    return throw_errno(env, joins ? "join" : "leave", errno);
  }
  return NULL;
}

/* numbers(socket): [packets that the kernel dropped because nobody read, octets of the receive buffer]. */
static napi_value numbers(napi_env env, napi_callback_info info) {
  napi_value arguments[1], list, value;
  uint32_t memory[MEMINFO] = {0};
  socklen_t size = sizeof memory;
  int buffer = 0;
  struct raw_socket *s = socket_of(env, info, 1, arguments);
  if (!s) return NULL;
  getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, memory, &size);
  size = sizeof buffer;
  getsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &buffer, &size);
  TRY(napi_create_array_with_length(env, 2, &list));
  TRY(napi_create_uint32(env, memory[RECEIVED_DROPS], &value));
  TRY(napi_set_element(env, list, 0, value));
  TRY(napi_create_uint32(env, (uint32_t)buffer, &value));
  TRY(napi_set_element(env, list, 1, value));
  return list;
}

static void free_edge(napi_env env, void *data, void *hint) {
  struct edge *edge = data;
  free(edge->octets);
  free(edge);
}

NAPI_MODULE_INIT() {
  struct edge *edge = calloc(1, sizeof *edge);
  if (edge) edge->octets = malloc(sizeof *edge->octets * BATCH);
  if (!edge || !edge->octets) {
    free(edge);
    return throw_errno(env, "raw", ENOMEM);
  }
  TRY(napi_set_instance_data(env, edge, free_edge, NULL));
  static const struct { const char *name; napi_callback function; } functions[] = {
      {"open", open_socket}, {"close", close_socket}, {"refer", refer},
      {"send", send_batch},  {"join", join},          {"numbers", numbers},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value value;
    TRY(napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &value));
    TRY(napi_set_named_property(env, exports, functions[i].name, value));
  }
  return exports;
}
