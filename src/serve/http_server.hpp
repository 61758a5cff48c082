// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "base/fd.hpp"
#include "serve/backlog.hpp"
#include "serve/event_stream.hpp"
#include "serve/http_config.hpp"
#include "serve/http_site.hpp"
#include "serve/metric_records.hpp"
#include "serve/recent.hpp"

struct MHD_Daemon;
struct MHD_Connection;

namespace tapio::serve {

// The site over HTTP, from a thread of its own in which all of libmicrohttpd runs: the library
// parses, and tells what to poll for. Everything that a client can make it keep is bounded.
class HttpServer {
 public:
  // Beside what is configured.
  static constexpr std::size_t kConnectionBytes = 16 << 10;  // request line and headers
  static constexpr std::size_t kAnswerBytes = 64 << 20;      // of all answers under way
  static constexpr std::size_t kBacklogBytes = 8 << 20;      // waiting for the thread
  static constexpr std::chrono::seconds kBeat{15};           // of a stream in which nothing happens

  struct Counts {
    std::uint64_t requests = 0;  // answered with what was asked for
    std::uint64_t refused = 0;   // other answers, and connections that were late or one too many
    std::uint64_t clients = 0;   // now
    std::uint64_t streams = 0;   // of these
    std::uint64_t lines = 0;     // handed to streams
    std::uint64_t dropped = 0;   // that a stream missed; it was told by a gap
    std::uint64_t missed = 0;    // that found no room on their way here
  };

  static Result<std::unique_ptr<HttpServer>> open(const HttpConfig& config, HttpApi& api);
  ~HttpServer();

  // Ends its thread, and with it all connections; what is offered later is for nobody.
  void stop();

  [[nodiscard]] const std::string& address() const { return address_; }
  // From the pipeline's thread. Does not block: what finds no room is dropped and counted.
  void offer(std::shared_ptr<const Batch> batch);
  [[nodiscard]] Counts counts() const;

 private:
  enum class Phase : std::uint8_t { asking, answering, streaming };
  struct Client {
    MHD_Connection* connection = nullptr;
    int socket = -1;
    Phase phase = Phase::asking;
    MonotonicTime deadline{};
    MonotonicTime beat{};
    std::unique_ptr<EventStream> stream{};
    bool suspended = false;  // the library does not look at it: its stream has nothing to say
    bool closing = false;
  };
  struct Body;
  struct Library;  // its callbacks
  struct Secrets {
    std::string token, certificate, key;
  };

  HttpServer(const HttpConfig& config, HttpApi& api, std::string token, Fd wake);
  static Result<Secrets> read_secrets(const HttpConfig& config);
  Status start(Secrets& secrets);  // the library takes no constants

  void serve();
  void wait();
  void hand_out();
  void attend_streams(MonotonicTime now);
  void close_late(MonotonicTime now);
  void end_streams();
  void count_up();

  void admit(MHD_Connection* connection, void** context);
  void leave(Client& client);
  void settle(Client& client);  // an answer is done
  void make_room();
  void close(Client& client);
  bool begin(Client& client);  // false: the request has a body
  bool answer(Client& client, std::string_view path, std::string_view method);
  [[nodiscard]] std::optional<Answer> refuse(const Client& client, const Found& found,
                                             std::string_view method);
  [[nodiscard]] std::optional<Error> read_query(Client& client, const Route& route, Query& query);
  bool send(Client& client, std::string_view type, Answer answer);
  bool begin_stream(Client& client, Query query);
  std::int64_t read_stream(Client& client, char* out, std::size_t room);

  const HttpConfig config_;
  const std::string token_;
  Fd wake_;
  std::string address_;
  MHD_Daemon* daemon_ = nullptr;
  Backlog backlog_{kBacklogBytes};
  Recent recent_;
  MetricRecords metrics_;
  Site site_;
  std::list<Client> clients_;  // the oldest first; the library holds pointers to them
  std::size_t answer_bytes_ = 0;
  std::size_t streaming_ = 0;
  std::uint64_t lines_gone_ = 0, dropped_gone_ = 0;  // of streams that are gone
  std::atomic<std::uint64_t> requests_{0}, refused_{0}, now_{0}, streams_{0}, lines_{0},
      dropped_{0}, missed_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tapio::serve
