// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace tapio {

// A server on loopback that remembers what it is sent, and answers as it is told; without a word
// left, 200. Tests that use it link microhttpd.
class HttpReceiver {
 public:
  struct Request {
    std::string path, body;
    std::map<std::string, std::string> headers{};
  };
  struct Answer {
    unsigned status = 200;
    std::string body{};
    std::string retry_after{};
  };

  // 0: a port that is free.
  explicit HttpReceiver(std::uint16_t port = 0) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    daemon_.reset(MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, nullptr, nullptr, &handle,
                                   this, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END));
    if (!daemon_) std::abort();
  }
  HttpReceiver(const HttpReceiver&) = delete;
  HttpReceiver& operator=(const HttpReceiver&) = delete;

  [[nodiscard]] std::uint16_t port() const {
    return MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_BIND_PORT)->port;
  }
  [[nodiscard]] std::string url(const std::string& path = "") const {
    return fmt::format("http://127.0.0.1:{}{}", port(), path);
  }
  void answer(Answer next) {
    const std::scoped_lock lock(mutex_);
    answers_.push_back(std::move(next));
  }
  // When there are so many.
  std::vector<Request> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return requests_.size() >= count; });
    return requests_;
  }
  [[nodiscard]] std::vector<Request> requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  static MHD_Result keep_header(void* to, MHD_ValueKind, const char* key, const char* value) {
    (*static_cast<std::map<std::string, std::string>*>(to))[key] = value ? value : "";
    return MHD_YES;
  }

  static MHD_Result handle(void* self, MHD_Connection* connection, const char* url, const char*,
                           const char*, const char* data, std::size_t* bytes, void** state) {
    if (!*state) {
      auto* request = new Request{.path = url, .body = {}};
      MHD_get_connection_values(connection, MHD_HEADER_KIND, &keep_header, &request->headers);
      *state = request;
      return MHD_YES;
    }
    auto* request = static_cast<Request*>(*state);
    if (*bytes > 0) {
      request->body.append(data, std::exchange(*bytes, 0));
      return MHD_YES;
    }
    const std::unique_ptr<Request> owned(request);
    return static_cast<HttpReceiver*>(self)->take(connection, *owned);
  }

  MHD_Result take(MHD_Connection* connection, const Request& request) {
    const std::scoped_lock lock(mutex_);
    Answer answer;
    if (!answers_.empty()) {
      answer = answers_.front();
      answers_.pop_front();
    }
    requests_.push_back(request);
    changed_.notify_all();
    const std::unique_ptr<MHD_Response, Freed<MHD_destroy_response>> response(
        MHD_create_response_from_buffer(answer.body.size(), answer.body.data(),
                                        MHD_RESPMEM_MUST_COPY));
    if (!answer.retry_after.empty())
      MHD_add_response_header(response.get(), "Retry-After", answer.retry_after.c_str());
    return MHD_queue_response(connection, answer.status, response.get());
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Answer> answers_;
  std::vector<Request> requests_;
  std::unique_ptr<MHD_Daemon, Freed<MHD_stop_daemon>> daemon_;  // its thread uses the rest
};

}  // namespace tapio
