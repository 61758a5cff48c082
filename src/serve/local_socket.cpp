// SPDX-License-Identifier: Apache-2.0
#include "serve/local_socket.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "record/json.hpp"

namespace tapio::serve {

namespace {

constexpr std::size_t kFixed = 2;  // polled beside the clients
constexpr std::chrono::seconds kPauseWithoutDescriptors{1};

}  // namespace

Result<std::unique_ptr<LocalSocket>> LocalSocket::open(std::string path, Api& api,
                                                       const Limits& limits) {
  const auto group = find_group(kGroup);
  Endpoint endpoint = TRY(Endpoint::open(std::move(path), group));
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return from_errno(errno, "make an eventfd");
  return std::unique_ptr<LocalSocket>(
      new LocalSocket(std::move(endpoint), std::move(wake), api, limits, group));
}

LocalSocket::LocalSocket(Endpoint endpoint, Fd wake, Api& api, const Limits& limits,
                         std::optional<gid_t> group)
    : endpoint_(std::move(endpoint)),
      wake_(std::move(wake)),
      api_(api),
      limits_(limits),
      group_(group),
      backlog_(limits.backlog_bytes),
      thread_([this] { serve(); }) {}

LocalSocket::~LocalSocket() {
  stopping_ = true;
  ::eventfd_write(wake_.get(), 1);
  thread_.join();
}

void LocalSocket::offer(std::shared_ptr<const Batch> batch) {
  if (streams_ == 0) return;
  backlog_.add(std::move(batch));
  ::eventfd_write(wake_.get(), 1);
}

LocalSocket::Counts LocalSocket::counts() const {
  return {.requests = requests_,
          .refused = refused_,
          .clients = now_,
          .streams = streams_,
          .lines = lines_,
          .dropped = dropped_};
}

// Batches go out before requests are read: who got an answer knows that every batch offered before
// the question has been handed out.
void LocalSocket::serve() {
  ::pthread_setname_np(::pthread_self(), "tapio-socket");
  sigset_t all;
  ::sigfillset(&all);  // they are for the thread that started us
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  while (!stopping_) {
    wait();
    const MonotonicTime now = monotonic_now();
    hand_out();
    attend_all(now);
    take_client(now);
    std::erase_if(clients_, [this](const auto& client) {
      if (!client->closed()) return false;
      lines_gone_ += client->lines();
      dropped_gone_ += client->dropped();
      return true;
    });
    count_up();
  }
  hand_out();
}

void LocalSocket::wait() {
  const MonotonicTime now = monotonic_now();
  const bool accepts = now >= accept_after_;
  polled_.assign({{wake_.get(), POLLIN, 0},
                  {endpoint_.listener(), static_cast<short>(accepts ? POLLIN : 0), 0}});
  std::optional<MonotonicTime> next;
  if (!accepts) next = accept_after_;
  for (const auto& client : clients_) {
    polled_.push_back({client->socket(), client->events(), 0});
    if (const auto deadline = client->deadline())
      next = std::min(next.value_or(*deadline), *deadline);
  }
  int timeout = -1;
  if (next) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - now).count();
    timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  ::poll(polled_.data(), polled_.size(), timeout);
}

void LocalSocket::hand_out() {
  eventfd_t ignored;
  ::eventfd_read(wake_.get(), &ignored);
  const auto taken = backlog_.take();
  for (const auto& batch : taken.batches) hand_out(*batch);
  for (const auto& client : clients_) {
    for (const auto& [schema, missing] : taken.dropped)
      if (client->wants(*schema)) client->add_missing(missing);
    if (client->streams()) client->write();
  }
}

void LocalSocket::hand_out(const Batch& batch) {
  for (const Record& record : batch.records) {
    line_.clear();  // made once, and only if somebody wants it
    for (const auto& client : clients_) {
      if (!client->wants(*record.schema)) continue;
      if (line_.empty()) append_json(line_, record, batch.clocks);
      client->add_line(line_, wall_time(record.origin.time, batch.clocks));
    }
  }
}

// One at a time, so that those who have gone make room before the next is counted.
void LocalSocket::take_client(MonotonicTime now) {
  if (now < accept_after_) return;
  Fd socket(::accept4(endpoint_.listener(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket) return admit(std::move(socket), now);
  const bool passes = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
  // A listener that stays ready would keep this thread busy.
  if (!passes) accept_after_ = now + kPauseWithoutDescriptors;
}

void LocalSocket::admit(Fd socket, MonotonicTime now) {
  const auto peer = peer_of(socket.get());
  auto client = std::make_unique<Connection>(std::move(socket), limits_, now);
  if (!peer) return refuse(*client, peer.error(), now);
  if (!is_admitted(*peer, ::geteuid(), group_))
    return refuse(*client,
                  {Fault::denied, fmt::format("user {} may not ask this agent; be root or a member "
                                              "of the group {}",
                                              peer->uid, kGroup)},
                  now);
  if (clients_.size() >= limits_.clients)
    return refuse(*client,
                  {Fault::unavailable,
                   fmt::format("the agent has {} clients already, try later", limits_.clients)},
                  now);
  if (is_owner(*peer, ::geteuid())) client->admit_owner();
  clients_.push_back(std::move(client));
}

void LocalSocket::refuse(Connection& client, const Error& error, MonotonicTime now) {
  ++refused_;
  client.answer(error_json(error), now);
}

void LocalSocket::attend_all(MonotonicTime now) {
  // Of this turn's clients; who is accepted now is attended next time.
  for (std::size_t i = kFixed; i < polled_.size(); ++i)
    attend(*clients_[i - kFixed], polled_[i].revents, now);
}

void LocalSocket::attend(Connection& client, short happened, MonotonicTime now) {
  if (client.closed()) return;
  if (happened & POLLIN) {
    if (const auto line = client.read_request(now)) return answer(client, *line, now);
  } else if (happened & (POLLHUP | POLLERR)) {
    return client.close();
  }
  if (happened & POLLOUT) client.write();
  if (const auto deadline = client.deadline(); deadline && now >= *deadline) client.close();
}

void LocalSocket::answer(Connection& client, const std::string& line, MonotonicTime now) {
  auto request = parse_request(line);
  if (!request) return refuse(client, request.error(), now);
  ++requests_;
  switch (request->command) {
    case Command::status:
      return client.answer(api_.status_json(), now);
    case Command::stories:
      return client.answer(api_.stories_json(request->since), now);
    case Command::reload:
      if (!client.is_owner())
        return refuse(client, {Fault::denied, "a reload wants root, or the user of the agent"},
                      now);
      return client.answer(api_.reload_json(), now);
    case Command::stream:
      ++streams_;  // at once, so that what is offered from now on gets here
      return client.begin_stream(std::move(request->names));
  }
}

void LocalSocket::count_up() {
  std::uint64_t lines = lines_gone_, dropped = dropped_gone_, streams = 0;
  for (const auto& client : clients_) {
    lines += client->lines();
    dropped += client->dropped();
    streams += client->streams();
  }
  now_ = clients_.size();
  lines_ = lines;
  dropped_ = dropped;
  streams_ = streams;
}

}  // namespace tapio::serve
