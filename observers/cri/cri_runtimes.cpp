// SPDX-License-Identifier: Apache-2.0
#include "cri_runtimes.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace tapio::cri {

namespace {

using namespace std::chrono_literals;

// Two names of one socket are one runtime.
bool is_same(const Socket& a, const Socket& b) {
  struct stat of_a{}, of_b{};
  return ::stat(a.path.c_str(), &of_a) == 0 && ::stat(b.path.c_str(), &of_b) == 0 &&
         of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

// In a directory that we may not look into, it may be.
bool is_there(const Socket& socket) {
  struct stat its{};
  if (::stat(socket.path.c_str(), &its) == 0) return S_ISSOCK(its.st_mode);
  return errno == EACCES;
}

}  // namespace

std::vector<std::string> LiveRuntimes::usual_sockets() {
  return {"/run/containerd/containerd.sock",
          "/run/k3s/containerd/containerd.sock",
          "/run/k0s/containerd.sock",
          "/var/snap/microk8s/common/run/containerd.sock",
          "/run/crio/crio.sock",
          "/run/cri-dockerd.sock",
          "/run/docker.sock",
          "/run/podman/podman.sock"};
}

LiveRuntimes::LiveRuntimes(const Config& config, MakeRuntime make)
    : options_{.asking = {.time = config.timeout, .labels = config.labels},
               .interval = config.interval,
               .lookups_per_second = config.lookups_per_second,
               .backoff = {.first = 100ms, .longest = std::min(config.interval, {10'000ms})},
               .make = std::move(make)},
      named_(!config.sockets.empty()) {
  for (const std::string& socket : named_ ? config.sockets : usual_sockets())
    wanted_.push_back(socket_of(socket));
  find_sockets();
}

void LiveRuntimes::find_sockets() {
  const auto now = monotonic_now();
  if (now < next_look_) return;
  next_look_ = now + options_.interval;
  for (const Socket& socket : wanted_) {
    const bool has_worker = std::ranges::any_of(workers_, [&](const auto& worker) {
      return worker->socket() == socket || is_same(worker->socket(), socket);
    });
    if (has_worker || (!named_ && !is_there(socket))) continue;
    // At once, for who asks how it is before a worker has tried.
    if (auto state = state_of_path(socket.path); state.is != RuntimeState::Is::connected)
      outbox_.put(std::move(state));
    workers_.push_back(std::make_unique<Worker>(socket, options_, outbox_));
  }
  if (workers_.empty() && !std::exchange(told_none_, true))
    outbox_.put(RuntimeState{.time = now, .is = RuntimeState::Is::absent});
}

void LiveRuntimes::look_up(const std::string& id, std::string_view runtime, bool awaited,
                           bool patient) {
  std::vector<Worker*> asked;
  for (const auto& worker : workers_)
    if (worker->may_know(runtime)) asked.push_back(worker.get());
  if (awaited) outbox_.expect(id, asked.size());
  const Wanted wanted{.id = id,
                      .awaited = awaited,
                      .patience = patient ? monotonic_now() + Worker::kPatience : MonotonicTime{}};
  for (Worker* worker : asked) {
    if (worker->look_up(wanted)) continue;
    outbox_.count(&Counts::refused);
    if (awaited) outbox_.put(Unnamed{.id = id});
  }
  if (asked.empty() && awaited) outbox_.put(Unnamed{.id = id});
}

std::string LiveRuntimes::take() {
  find_sockets();
  return packed(outbox_.take());
}

}  // namespace tapio::cri
