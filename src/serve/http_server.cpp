// SPDX-License-Identifier: Apache-2.0
#include "serve/http_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "base/small_file.hpp"
#include "serve/http_address.hpp"

namespace tapio::serve {

namespace {

// Room for those that are told to go and have not gone yet.
constexpr unsigned kClosing = 128;
constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kTls = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

std::string_view header(MHD_Connection* connection, const char* name) {
  const char* value = ::MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value ? value : "";
}

bool has_body(MHD_Connection* connection) {
  const auto length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
  return !header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING).empty() ||
         (!length.empty() && length != "0");
}

MHD_Result result(bool done) {
  return done ? MHD_YES : MHD_NO;
}

void add_header(MHD_Response* response, const char* name, std::string_view value) {
  ::MHD_add_response_header(response, name, std::string(value).c_str());
}

}  // namespace

// The text of an answer, as long as the library sends it.
struct HttpServer::Body {
  HttpServer& server;
  std::string text;
  ~Body() { server.answer_bytes_ -= text.size(); }
};

struct HttpServer::Library {
  static Client& client_of(MHD_Connection* connection) {
    const auto* info = ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return *static_cast<Client*>(info->socket_context);
  }

  static void on_connection(void* server, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode what) {
    auto& self = *static_cast<HttpServer*>(server);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) return self.admit(connection, context);
    self.leave(*static_cast<Client*>(*context));
  }

  // Called once with the headers, again for each part of a body, and at the end.
  static MHD_Result on_request(void* server, MHD_Connection* connection, const char* path,
                               const char* method, const char*, const char*, std::size_t* upload,
                               void** seen) {
    auto& self = *static_cast<HttpServer*>(server);
    Client& client = client_of(connection);
    if (!std::exchange(*seen, server)) return result(self.begin(client));
    *upload = 0;
    return result(self.answer(client, path, method));
  }

  static void on_completed(void* server, MHD_Connection* connection, void**,
                           MHD_RequestTerminationCode) {
    static_cast<HttpServer*>(server)->settle(client_of(connection));
  }

  struct Parameters {
    const Route& route;
    Query& query;
    std::optional<Error> wrong{};
  };
  static MHD_Result on_parameter(void* parameters, MHD_ValueKind, const char* key,
                                 std::size_t key_bytes, const char* value,
                                 std::size_t value_bytes) {
    auto& [route, query, wrong] = *static_cast<Parameters*>(parameters);
    const std::string_view text = value ? std::string_view(value, value_bytes) : "";
    auto read = read_parameter(query, route.parameters, {key, key_bytes}, text);
    if (!read) wrong = std::move(read).error();
    return result(!wrong);
  }

  struct Reader {
    HttpServer& server;
    Client& client;
  };
  static ssize_t on_read(void* reader, std::uint64_t, char* out, std::size_t room) {
    auto& [server, client] = *static_cast<Reader*>(reader);
    return server.read_stream(client, out, room);
  }
  static void free_reader(void* reader) { delete static_cast<Reader*>(reader); }
  static void free_body(void* body) { delete static_cast<Body*>(body); }
};

Result<HttpServer::Secrets> HttpServer::read_secrets(const HttpConfig& config) {
  Secrets secrets;
  if (!config.token_file.empty()) secrets.token = TRY(read_token(config.token_file));
  if (config.tls_key.empty()) return secrets;
  if (::MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
    return fail(Fault::unsupported, "this libmicrohttpd has no TLS");
  secrets.certificate = TRY(read_small_file(config.tls_certificate, Secrecy::open));
  secrets.key = TRY(read_small_file(config.tls_key, Secrecy::secret));
  return secrets;
}

Result<std::unique_ptr<HttpServer>> HttpServer::open(const HttpConfig& config, HttpApi& api) {
  TRY(config.check());
  Secrets secrets = TRY(read_secrets(config));
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return from_errno(errno, "make an eventfd");
  std::unique_ptr<HttpServer> server(new HttpServer(config, api, secrets.token, std::move(wake)));
  if (auto started = server->start(secrets); !started)
    return std::unexpected(std::move(started).error().within(config.listen));
  return server;
}

HttpServer::HttpServer(const HttpConfig& config, HttpApi& api, std::string token, Fd wake)
    : config_(config),
      token_(std::move(token)),
      wake_(std::move(wake)),
      recent_(config.recent.bytes,
              [this](std::uint64_t number, const Line& line) {
                for (Client& client : clients_)
                  if (client.stream) client.stream->forget(number, line);
              }),
      metrics_(config.series),
      site_(api, recent_, metrics_) {}

Status HttpServer::start(Secrets& secrets) {
  const Address address = TRY(parse_address(config_.listen));
  const Fd listener = TRY(listen_on(address));
  address_ = address_of(listener.get());
  const int own = ::fcntl(listener.get(), F_DUPFD_CLOEXEC, 0);  // the library closes its own
  if (own < 0) return from_errno(errno, "share the socket");
  std::string tls_versions(kTls);
  std::array<MHD_OptionItem, 4> tls{};
  unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
  if (!secrets.key.empty()) {
    flags |= MHD_USE_TLS;
    tls = {{{MHD_OPTION_HTTPS_MEM_CERT, 0, secrets.certificate.data()},
            {MHD_OPTION_HTTPS_MEM_KEY, 0, secrets.key.data()},
            {MHD_OPTION_HTTPS_PRIORITIES, 0, tls_versions.data()},
            {MHD_OPTION_END, 0, nullptr}}};
  } else {
    tls[0] = {MHD_OPTION_END, 0, nullptr};
  }
  daemon_ = ::MHD_start_daemon(flags, 0, nullptr, nullptr, &Library::on_request, this,       //
                               MHD_OPTION_LISTEN_SOCKET, own,                                //
                               MHD_OPTION_NOTIFY_CONNECTION, &Library::on_connection, this,  //
                               MHD_OPTION_NOTIFY_COMPLETED, &Library::on_completed, this,    //
                               MHD_OPTION_CONNECTION_LIMIT, config_.connections + kClosing,  //
                               MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytes,         //
                               MHD_OPTION_ARRAY, tls.data(), MHD_OPTION_END);
  if (!daemon_)
    return invalid(secrets.key.empty() ? "libmicrohttpd does not start"
                                       : "libmicrohttpd does not start; do certificate and key "
                                         "fit, and are they PEM?");
  thread_ = std::thread([this] { serve(); });
  return {};
}

HttpServer::~HttpServer() {
  stop();
}

void HttpServer::stop() {
  if (!daemon_) return;
  stopping_ = true;
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
  ::MHD_stop_daemon(std::exchange(daemon_, nullptr));
}

void HttpServer::offer(std::shared_ptr<const Batch> batch) {
  backlog_.add(std::move(batch));
  ::eventfd_write(wake_.get(), 1);
}

HttpServer::Counts HttpServer::counts() const {
  return {.requests = requests_,
          .refused = refused_,
          .clients = now_,
          .streams = streams_,
          .lines = lines_,
          .dropped = dropped_,
          .missed = missed_};
}

void HttpServer::serve() {
  ::pthread_setname_np(::pthread_self(), "tapio-http");
  sigset_t all;
  ::sigfillset(&all);  // they are for the thread that started us
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  while (!stopping_) {
    wait();
    const MonotonicTime now = monotonic_now();
    hand_out();
    attend_streams(now);
    close_late(now);
    ::MHD_run(daemon_);
    count_up();
  }
  end_streams();
}

void HttpServer::wait() {
  const MonotonicTime now = monotonic_now();
  MonotonicTime next = MonotonicTime::max();
  for (const Client& client : clients_)
    next = std::min({next, client.deadline, client.stream ? client.beat : MonotonicTime::max()});
  std::int64_t timeout = -1;
  if (next != MonotonicTime::max())
    timeout = std::clamp<std::int64_t>(
        std::chrono::ceil<std::chrono::milliseconds>(next - now).count(), 0, 60'000);
  MHD_UNSIGNED_LONG_LONG library = 0;
  if (::MHD_get_timeout(daemon_, &library) == MHD_YES) {
    const auto most = static_cast<std::int64_t>(std::min(library, 60'000ull));
    timeout = timeout < 0 ? most : std::min(timeout, most);
  }
  const auto* epoll = ::MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  std::array<pollfd, 2> polled = {{{wake_.get(), POLLIN, 0}, {epoll->epoll_fd, POLLIN, 0}}};
  ::poll(polled.data(), polled.size(), static_cast<int>(timeout));
}

void HttpServer::hand_out() {
  eventfd_t ignored;
  ::eventfd_read(wake_.get(), &ignored);
  const auto taken = backlog_.take();
  for (const auto& batch : taken.batches) {
    recent_.add(*batch);
    metrics_.add(*batch);
  }
  for (const auto& [schema, missing] : taken.dropped) {
    missed_ += missing.count;
    site_.miss(missing.count);
    for (Client& client : clients_)
      if (client.stream) client.stream->miss(*schema, missing);
  }
}

// The library does not look at who waits for records, nor would it see that he has gone.
void HttpServer::attend_streams(MonotonicTime now) {
  for (Client& client : clients_) {
    if (!client.stream) continue;
    if (now >= client.beat) {
      client.stream->beat();
      client.beat = now + kBeat;
    }
    if (!client.suspended || !client.stream->has_more()) continue;
    client.suspended = false;
    ::MHD_resume_connection(client.connection);
  }
}

void HttpServer::close_late(MonotonicTime now) {
  for (Client& client : clients_)
    if (now >= client.deadline) close(client);
}

// The library sees that there is nothing more to read or write, and is done with it.
void HttpServer::close(Client& client) {
  if (std::exchange(client.closing, true)) return;
  ++refused_;
  client.deadline = MonotonicTime::max();
  ::shutdown(client.socket, SHUT_RDWR);
}

// Nobody may be suspended when the library stops.
void HttpServer::end_streams() {
  for (Client& client : clients_) {
    if (!client.stream) continue;
    if (std::exchange(client.suspended, false)) ::MHD_resume_connection(client.connection);
  }
  ::MHD_run(daemon_);
}

void HttpServer::count_up() {
  std::uint64_t lines = lines_gone_, dropped = dropped_gone_;
  for (const Client& client : clients_) {
    if (!client.stream) continue;
    lines += client.stream->lines();
    dropped += client.stream->dropped();
  }
  now_ = clients_.size();
  streams_ = streaming_;
  lines_ = lines;
  dropped_ = dropped;
}

void HttpServer::admit(MHD_Connection* connection, void** context) {
  if (clients_.size() >= config_.connections) make_room();
  const auto* info = ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  Client& client =
      clients_.emplace_back(Client{.connection = connection,
                                   .socket = info->connect_fd,
                                   .deadline = monotonic_now() + config_.request_time});
  *context = &client;
  const auto staying = std::ranges::count(clients_, false, &Client::closing);
  if (std::cmp_greater(staying, config_.connections)) close(client);
}

// Who came first and has not asked anything goes first.
void HttpServer::make_room() {
  const auto idle = std::ranges::find_if(clients_, [](const Client& client) {
    return client.phase == Phase::asking && !client.closing;
  });
  if (idle != clients_.end()) close(*idle);
}

void HttpServer::leave(Client& client) {
  settle(client);
  std::erase_if(clients_, [&](const Client& one) { return &one == &client; });
}

void HttpServer::settle(Client& client) {
  if (client.stream) {
    lines_gone_ += client.stream->lines();
    dropped_gone_ += client.stream->dropped();
    client.stream.reset();
    --streaming_;
  }
  client.phase = Phase::asking;
  if (!client.closing) client.deadline = monotonic_now() + config_.request_time;
}

bool HttpServer::begin(Client& client) {
  if (!has_body(client.connection)) return true;
  return send(client, "application/json",
              refusal(MHD_HTTP_CONTENT_TOO_LARGE, {Fault::invalid, "a request has no body here"}));
}

std::optional<Answer> HttpServer::refuse(const Client& client, const Found& found,
                                         std::string_view method) {
  const auto host = header(client.connection, MHD_HTTP_HEADER_HOST);
  if (token_.empty() && !config_.insecure && !host.empty() && !is_plain_host(host))
    return refusal(MHD_HTTP_FORBIDDEN, {Fault::denied, "ask by number, or as localhost"});
  if (!found.route)
    return refusal(MHD_HTTP_NOT_FOUND,
                   {Fault::invalid, "there is nothing; /api/v1/openapi.json has what there is"});
  if (method != "GET" && method != "HEAD")
    return refusal(MHD_HTTP_METHOD_NOT_ALLOWED, {Fault::invalid, "only GET and HEAD"});
  if (token_.empty() || found.route->open) return std::nullopt;
  const auto given = header(client.connection, MHD_HTTP_HEADER_AUTHORIZATION);
  if (given.starts_with(kBearer) && is_same_secret(given.substr(kBearer.size()), token_))
    return std::nullopt;
  return refusal(MHD_HTTP_UNAUTHORIZED, {Fault::denied, "send the token as Authorization: Bearer"});
}

std::optional<Error> HttpServer::read_query(Client& client, const Route& route, Query& query) {
  Library::Parameters parameters{route, query};
  ::MHD_get_connection_values_n(client.connection, MHD_GET_ARGUMENT_KIND, &Library::on_parameter,
                                &parameters);
  return parameters.wrong;
}

bool HttpServer::answer(Client& client, std::string_view path, std::string_view method) {
  client.phase = Phase::answering;
  client.deadline = monotonic_now() + config_.answer_time;
  const Found found = find_route(path);
  if (auto refused = refuse(client, found, method))
    return send(client, "application/json", std::move(*refused));
  Call call{.id = found.id, .now = monotonic_now()};
  if (const auto wrong = read_query(client, *found.route, call.query))
    return send(client, "application/json", refusal(MHD_HTTP_BAD_REQUEST, *wrong));
  if (!found.route->answer) return begin_stream(client, std::move(call.query));
  Answer answer = (site_.*found.route->answer)(call);
  const bool told = answer.status == MHD_HTTP_OK || found.route->open;
  return send(client, told ? found.route->type : "application/json", std::move(answer));
}

bool HttpServer::send(Client& client, std::string_view type, Answer answer) {
  if (answer_bytes_ + answer.body.size() > kAnswerBytes)
    answer = refusal(MHD_HTTP_SERVICE_UNAVAILABLE,
                     {Fault::unavailable, "too many large answers are under way, try later"});
  std::string etag;
  if (answer.cacheable) {
    etag = etag_of(answer.body);
    if (has_etag(header(client.connection, MHD_HTTP_HEADER_IF_NONE_MATCH), etag)) {
      answer.status = MHD_HTTP_NOT_MODIFIED;
      answer.body.clear();
    }
  }
  ++(answer.status < MHD_HTTP_BAD_REQUEST ? requests_ : refused_);
  answer_bytes_ += answer.body.size();
  auto body = std::make_unique<Body>(*this, std::move(answer.body));
  std::string& text = body->text;
  MHD_Response* response = ::MHD_create_response_from_buffer_with_free_callback_cls(
      text.size(), text.data(), &Library::free_body, body.get());
  if (!response) return false;
  (void)body.release();  // the library frees it
  add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, etag.empty() ? "no-store" : "no-cache");
  add_header(response, "X-Content-Type-Options", "nosniff");
  add_header(response, "Content-Security-Policy", "frame-ancestors 'none'");
  if (!etag.empty()) add_header(response, MHD_HTTP_HEADER_ETAG, etag);
  if (answer.status == MHD_HTTP_UNAUTHORIZED)
    add_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
  if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED)
    add_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  const bool queued = ::MHD_queue_response(client.connection, answer.status, response) == MHD_YES;
  ::MHD_destroy_response(response);
  return queued;
}

bool HttpServer::begin_stream(Client& client, Query query) {
  if (streaming_ >= config_.streams)
    return send(client, "application/json",
                refusal(MHD_HTTP_SERVICE_UNAVAILABLE,
                        {Fault::unavailable, "too many read events already, try later"}));
  auto reader = std::make_unique<Library::Reader>(*this, client);
  MHD_Response* response =
      ::MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EventStream::kBlockBytes,
                                          &Library::on_read, reader.get(), &Library::free_reader);
  if (!response) return false;
  (void)reader.release();  // the library frees it
  const char* last =
      ::MHD_lookup_connection_value(client.connection, MHD_HEADER_KIND, "Last-Event-ID");
  client.stream = std::make_unique<EventStream>(
      recent_, std::move(query), last ? std::optional<std::string>(last) : std::nullopt);
  client.phase = Phase::streaming;
  client.beat = monotonic_now() + kBeat;
  ++streaming_;
  ++requests_;
  add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
  add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  add_header(response, "X-Content-Type-Options", "nosniff");
  const bool queued = ::MHD_queue_response(client.connection, MHD_HTTP_OK, response) == MHD_YES;
  ::MHD_destroy_response(response);
  return queued;
}

// Who does not take what he was given is closed; who has nothing to take may stay.
std::int64_t HttpServer::read_stream(Client& client, char* out, std::size_t room) {
  if (stopping_) return MHD_CONTENT_READER_END_OF_STREAM;
  const std::size_t bytes = client.stream->read(std::span(out, room));
  if (bytes > 0) {
    client.deadline = monotonic_now() + config_.answer_time;
    return static_cast<std::int64_t>(bytes);
  }
  client.deadline = MonotonicTime::max();
  client.suspended = true;
  ::MHD_suspend_connection(client.connection);
  return 0;
}

}  // namespace tapio::serve
