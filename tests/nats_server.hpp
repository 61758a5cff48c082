// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/fd.hpp"

// Real servers of NATS on loopback, and a client that reads what their streams have: its own few
// lines, so that nothing is judged by the code under test.
namespace tapio {

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline const sockaddr* generic(const sockaddr_in& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

// Nobody listens there now.
inline int free_port() {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(socket.get(), generic(address), size), 0);
  EXPECT_EQ(
      ::getsockname(socket.get(), static_cast<sockaddr*>(static_cast<void*>(&address)), &size), 0);
  return ntohs(address.sin_port);
}

class NatsServer {
 public:
  [[nodiscard]] static bool is_there() {
    return std::system("command -v nats-server >/dev/null") == 0;
  }

  // Keeps its files in `directory`; `more` is added to its configuration, `of_jetstream` to that
  // part of it. Does not run yet.
  NatsServer(const std::string& directory, const std::string& name, const std::string& more = {},
             const std::string& of_jetstream = {})
      : port_(free_port()),
        config_(directory + "/" + name + ".conf"),
        log_(directory + "/" + name + ".log") {
    std::ofstream(config_) << fmt::format(
        "server_name: {0}\nlisten: \"127.0.0.1:{1}\"\n"
        "jetstream {{ store_dir: \"{2}/{0}\", max_memory_store: 64MB, max_file_store: 2GB {3} }}\n"
        "{4}\n",
        name, port_, directory, of_jetstream, more);
  }
  ~NatsServer() { stop(SIGKILL); }
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;

  // Until it listens.
  void start() {
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int log = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      ::dup2(log, STDERR_FILENO);
      ::execlp("nats-server", "nats-server", "-c", config_.c_str(), nullptr);
      ::_exit(127);
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!listens() && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(listens()) << log();
  }
  void signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
  }
  void stop(int number = SIGTERM) {
    if (pid_ <= 0) return;
    signal(SIGCONT);
    signal(number);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url(std::string_view scheme = "nats") const {
    return fmt::format("{}://127.0.0.1:{}", scheme, port_);
  }
  [[nodiscard]] std::string log() const {
    std::stringstream text;
    text << std::ifstream(log_).rdbuf();
    return text.str();
  }

 private:
  [[nodiscard]] bool listens() const {
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = loopback(port_);
    return ::connect(socket.get(), generic(address), sizeof address) == 0;
  }

  int port_;
  std::string config_, log_;
  pid_t pid_ = -1;
};

// A client of a server that asks nobody who he is.
class NatsClient {
 public:
  struct Message {
    std::string subject, id, text;
  };

  explicit NatsClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = loopback(port);
    const timeval patience{.tv_sec = 2, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::connect(socket_.get(), generic(address), sizeof address), 0);
    say("CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n"
        "SUB in.answer 1\r\nSUB in.all 2\r\n");
  }

  // What is answered; asks again, since a cluster that looks for a leader does not answer. "503":
  // nobody is there who could.
  std::string request(const std::string& subject, const std::string& text) {
    for (int i = 0; i < kTimes; ++i) {
      say(fmt::format("PUB {} in.answer {}\r\n{}\r\n", subject, text.size(), text));
      auto message = next();
      for (; message && message->subject != "in.answer"; message = next())
        early_.push_back(std::move(*message));
      if (message) return message->text.empty() ? "503" : message->text;
    }
    ADD_FAILURE() << "no answer to " << subject;
    return "";
  }

  // All that a stream has, in its order.
  std::vector<Message> stored(const std::string& stream) {
    const auto info = request("$JS.API.STREAM.INFO." + stream, "");
    const auto count = number_behind(info, "\"messages\":");
    const auto consumer = request(
        "$JS.API.CONSUMER.CREATE." + stream,
        fmt::format(R"({{"stream_name":"{}","config":{{"deliver_subject":"in.all",)"
                    R"("deliver_policy":"all","ack_policy":"none","replay_policy":"instant"}}}})",
                    stream));
    EXPECT_EQ(consumer.find("\"error\""), consumer.npos) << consumer;
    auto all = std::exchange(early_, {});
    for (int silent = 0; all.size() < count && silent < kTimes;) {
      if (auto message = next())
        all.push_back(std::move(*message));
      else
        ++silent;
    }
    EXPECT_GE(all.size(), count) << "the stream has more";
    return all;
  }

  static std::uint64_t number_behind(const std::string& text, std::string_view key) {
    const auto at = text.find(key);
    if (at == text.npos) {
      ADD_FAILURE() << "no " << key << " in " << text;
      return 0;
    }
    return std::strtoull(text.c_str() + at + key.size(), nullptr, 10);
  }

 private:
  static constexpr int kTimes = 15;  // to wait for the server, 2 s each

  void say(const std::string& text) {
    EXPECT_EQ(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
  }

  // Until there are so many unread bytes. False: nothing comes.
  bool fill(std::size_t bytes) {
    while (unread_.size() < bytes) {
      char part[65536];
      const ssize_t got = ::recv(socket_.get(), part, sizeof part, 0);
      if (got <= 0) return false;
      unread_.append(part, static_cast<std::size_t>(got));
    }
    return true;
  }

  // nullopt: none has come in 2 s.
  std::optional<Message> next() {
    for (;;) {
      const auto end = unread_.find("\r\n");
      if (end == unread_.npos) {
        if (!fill(unread_.size() + 1)) return {};
        continue;
      }
      std::istringstream words(unread_.substr(0, end));
      std::string word, subject, last, before;
      words >> word;
      if (word == "PING") say("PONG\r\n");
      const bool with_headers = word == "HMSG";
      if (word == "MSG" || with_headers) {
        words >> subject;
        while (words >> word) before = std::exchange(last, word);
        const std::size_t size = std::stoul(last);
        if (!fill(end + 2 + size + 2)) return {};
        const auto whole = unread_.substr(end + 2, size);
        unread_.erase(0, end + 2 + size + 2);
        return message(subject, whole, with_headers ? std::stoul(before) : 0);
      }
      unread_.erase(0, end + 2);
    }
  }
  static Message message(const std::string& subject, const std::string& whole,
                         std::size_t headers) {
    constexpr std::string_view kId = "Nats-Msg-Id: ";
    Message out{.subject = subject, .id = {}, .text = whole.substr(headers)};
    const auto at = whole.find(kId);
    if (at < headers)
      out.id = whole.substr(at + kId.size(), whole.find("\r\n", at) - at - kId.size());
    return out;
  }

  Fd socket_;
  std::string unread_;
  std::vector<Message> early_;  // came before an answer
};

}  // namespace tapio
