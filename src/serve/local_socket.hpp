// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "serve/connection.hpp"
#include "serve/endpoint.hpp"
#include "serve/peer.hpp"
#include "serve/request.hpp"

namespace tapio::serve {

// What the agent can be asked. Called from the thread of the socket.
class Api {
 public:
  virtual ~Api() = default;
  virtual std::string status_json() = 0;  // one line, as all of these
  // What happened at most so long ago; all that is kept without it.
  virtual std::string stories_json(std::optional<std::chrono::nanoseconds> since) = 0;
  // Reads the configuration again, and says what became of it. Only root and the agent's own user
  // get this far.
  virtual std::string reload_json() = 0;
};

// Answers the other commands, over a unix socket, from a thread of its own. Admits root, the
// agent's user, and members of the group tapio, whatever the mode of the file says.
class LocalSocket {
 public:
  struct Counts {
    std::uint64_t requests = 0;  // understood
    std::uint64_t refused = 0;   // clients not admitted, one too many, or not understood
    std::uint64_t clients = 0;   // now
    std::uint64_t streams = 0;   // of these
    std::uint64_t lines = 0;     // streamed, over all clients
    std::uint64_t dropped = 0;  // lines that a stream could not take; it has been told by gap lines
  };

  static constexpr const char* kGroup = "tapio";

  static Result<std::unique_ptr<LocalSocket>> open(std::string path, Api& api,
                                                   const Limits& limits = {});
  ~LocalSocket();  // hands out what streams can take at once, and removes the socket

  // From the pipeline's thread. Does not block: what finds no room is dropped and counted.
  void offer(std::shared_ptr<const Batch> batch);
  [[nodiscard]] Counts counts() const;

 private:
  LocalSocket(Endpoint endpoint, Fd wake, Api& api, const Limits& limits,
              std::optional<gid_t> group);
  void serve();
  void wait();  // for something to happen
  void hand_out();
  void hand_out(const Batch& batch);
  void take_client(MonotonicTime now);
  void admit(Fd socket, MonotonicTime now);
  void refuse(Connection& client, const Error& error, MonotonicTime now);
  void attend(Connection& client, short happened, MonotonicTime now);
  void attend_all(MonotonicTime now);
  void answer(Connection& client, const std::string& line, MonotonicTime now);
  void count_up();

  Endpoint endpoint_;
  Fd wake_;
  Api& api_;
  Limits limits_;
  std::optional<gid_t> group_;
  Backlog backlog_;
  std::vector<std::unique_ptr<Connection>> clients_;
  std::vector<pollfd> polled_;    // wake, listener, then one for each client
  MonotonicTime accept_after_{};  // descriptors have run out
  std::uint64_t lines_gone_ = 0;  // of clients that are gone
  std::uint64_t dropped_gone_ = 0;
  std::string line_;
  std::atomic<std::uint64_t> requests_{0}, refused_{0}, now_{0}, streams_{0}, lines_{0},
      dropped_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tapio::serve
