// SPDX-License-Identifier: Apache-2.0
#include "cri_worker.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <utility>

#include "base/log.hpp"

namespace tapio::cri {

namespace {

using namespace std::chrono_literals;

std::uint32_t random_number() {
  static thread_local std::minstd_rand numbers{std::random_device{}()};
  return static_cast<std::uint32_t>(numbers());
}

RuntimeState::Is state_after(const Error& error) {
  using enum RuntimeState::Is;
  if (error.fault == Fault::denied) return denied;
  return error.fault == Fault::unsupported || error.fault == Fault::invalid ? not_a_runtime
                                                                            : silent;
}

}  // namespace

// Who connects needs the right to write.
RuntimeState state_of_path(const std::string& path) {
  RuntimeState state{.time = monotonic_now(), .socket = path, .is = RuntimeState::Is::connected};
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0) return state;
  state.is =
      errno == EACCES || errno == EPERM ? RuntimeState::Is::denied : RuntimeState::Is::absent;
  if (state.is == RuntimeState::Is::denied)
    state.reason = "the agent's user may not use it; docs/operations.md says how to allow it";
  return state;
}

Worker::Worker(Socket socket, WorkerOptions options, Outbox& outbox)
    : socket_(std::move(socket)),
      options_(std::move(options)),
      outbox_(outbox),
      bucket_(options_.lookups_per_second),
      asks_([this](const std::stop_token& stop) { ask(stop); }),
      hears_([this](const std::stop_token& stop) { hear(stop); }) {}

Worker::~Worker() = default;

bool Worker::may_know(std::string_view runtime) const {
  const std::scoped_lock lock(mutex_);
  return connected_ && (runtime.empty() || runtime == version_.name);
}

bool Worker::look_up(Wanted wanted) {
  const std::scoped_lock lock(mutex_);
  const auto found = queue_.find(wanted.id);
  if (found != queue_.end()) {
    auto& queued = found->second;
    queued.wanted.awaited |= wanted.awaited;
    queued.wanted.patience = std::max(queued.wanted.patience, wanted.patience);
    queued.due = {};
  } else {
    if (queue_.size() >= kMaxWanted) return false;
    queue_.emplace(wanted.id, Queued{.wanted = wanted});
  }
  wake();
  return true;
}

void Worker::wake() {
  wakes_++;
  changed_.notify_all();
}

// The thread that asks: connects, and works until it cannot.
void Worker::ask(const std::stop_token& stop) {
  for (unsigned failures = 0; !stop.stop_requested();) {
    if (connect(stop)) {
      failures = 0;
      serve(stop);
    }
    give_up_waiting();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, options_.backoff.after(++failures, random_number()),
                      [] { return false; });
  }
}

bool Worker::connect(const std::stop_token& stop) {
  if (auto state = state_of_path(socket_.path); state.is != RuntimeState::Is::connected) {
    tell_state(std::move(state));
    return false;
  }
  Asking asking = options_.asking;
  asking.meter = &meter_;
  auto made = options_.make(socket_, asking);
  auto version = made ? (*made)->version(stop) : std::unexpected(made.error());
  if (!version) {
    if (!stop.stop_requested()) disconnect(version.error());
    return false;
  }
  runtime_ = std::move(*made);
  {
    const std::scoped_lock lock(mutex_);
    version_ = *version;
  }
  if (const auto images = look_at_images(stop); !images) return disconnect(images.error()), false;
  if (const auto listed = list(stop); !listed) return disconnect(listed.error()), false;
  const std::scoped_lock lock(mutex_);
  connected_ = true;
  if (connection_++ > 0) outbox_.count(&Counts::reconnects);
  changed_.notify_all();
  return true;
}

void Worker::disconnect(const Error& error) {
  {
    const std::scoped_lock lock(mutex_);
    connected_ = false;
  }
  runtime_.reset();
  tell_state({.is = state_after(error), .reason = error.what});
}

// Once, when it is another one than before.
void Worker::tell_state(RuntimeState state) {
  {
    const std::scoped_lock lock(mutex_);
    state.name = version_.name;
    state.version = version_.version;
  }
  state.time = monotonic_now();
  state.socket = socket_.path;
  state.hears_events = hears_events_;
  const bool same = state.is == told_.is && state.name == told_.name && !told_.socket.empty();
  if (same && !state.listed) return;
  if (!same && state.is != RuntimeState::Is::connected && !state.reason.empty())
    log::warning("cri: {}: {}", socket_.path, state.reason);
  if (!same && state.is == RuntimeState::Is::connected)
    log::info("cri: {} {} answers on {}", state.name, state.version, socket_.path);
  told_ = state;
  outbox_.put(std::move(state));
}

void Worker::serve(const std::stop_token& stop) {
  auto next_list = monotonic_now() + options_.interval;
  unsigned lists = 0;
  calls_since_ = monotonic_now();
  while (!stop.stop_requested()) {
    Status done;
    if (const auto wanted = next(next_list, stop)) done = answer(*wanted, stop);
    const auto now = monotonic_now();
    bool images = false;
    {
      const std::scoped_lock lock(mutex_);
      images = now >= images_due_;
      if (images) images_due_ = MonotonicTime::max();
    }
    if (done && now >= next_list) {
      next_list = now + options_.interval;
      images |= ++lists % kImagesEvery == 0;
      done = list(stop);
      tell_calls();
    }
    if (done && images) done = look_at_images(stop);
    if (!done && !stop.stop_requested()) return disconnect(done.error());
  }
}

std::optional<Wanted> Worker::next(MonotonicTime until, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = monotonic_now();
    const auto end = std::min(until, images_due_);
    if (now >= end) return {};
    const auto first = std::ranges::min_element(queue_, {}, [](const auto& entry) {
      return std::pair(entry.second.due, !entry.second.wanted.awaited);
    });
    MonotonicTime pause = end - now;
    if (first != queue_.end() && first->second.due > now) {
      pause = std::min(pause, first->second.due - now);
    } else if (first != queue_.end()) {
      if (bucket_.admit(now)) {
        Wanted wanted = std::move(first->second.wanted);
        queue_.erase(first);
        return wanted;
      }
      pause = std::min<MonotonicTime>(pause, 10ms);  // until there is room in the rate again
    }
    changed_.wait_for(lock, stop, pause, [this, seen = wakes_] { return wakes_ != seen; });
  }
  return {};
}

void Worker::again(Wanted wanted) {
  const std::scoped_lock lock(mutex_);
  auto id = wanted.id;
  queue_.try_emplace(std::move(id), Queued{std::move(wanted), monotonic_now() + kAgain});
}

Status Worker::answer(const Wanted& wanted, const std::stop_token& stop) {
  outbox_.count(&Counts::lookups);
  auto one = runtime_->status(wanted.id, stop);
  if (one && *one) {
    // An event may come before its runtime knows itself that the container runs.
    const bool starts = (*one)->state == ContainerState::created;
    say(std::move(**one));
    if (starts && monotonic_now() < wanted.patience)
      again({.id = wanted.id, .patience = wanted.patience});
    return {};
  }
  if (one && known_.find(wanted.id)) {
    known_.erase(wanted.id);
    outbox_.put(Removed{.time = monotonic_now(), .id = wanted.id});
  } else if (one && monotonic_now() < wanted.patience) {
    again(wanted);
    return {};
  }
  if (wanted.awaited && !stop.stop_requested())
    outbox_.put(Unnamed{.id = wanted.id, .asked = one.has_value()});
  // One answer that cannot be read is no reason to leave.
  if (!one && one.error().fault != Fault::invalid) return std::unexpected(std::move(one).error());
  return {};
}

void Worker::say(Described one) {
  one.time = monotonic_now();
  one.runtime = version_.name;
  if (const auto image = images_.find(one.image); image != images_.end()) one.image = image->second;
  Known& known = known_.use(one.id);
  known.state = one.state;
  known.restarts = one.restarts;
  known.round = round_;
  outbox_.put(std::move(one));
}

Status Worker::list(const std::stop_token& stop) {
  auto all = TRY(runtime_->list(stop));
  round_++;
  RuntimeState state{.is = RuntimeState::Is::connected, .listed = true};
  take(std::move(all), state);
  tell_state(std::move(state));
  outbox_.count(&Counts::calls, meter_.calls() - std::exchange(counted_calls_, meter_.calls()));
  outbox_.count(&Counts::failures,
                meter_.failures() - std::exchange(counted_failures_, meter_.failures()));
  return {};
}

// What is new in it is said. Of one that has ended, the list does not say how: it is looked up.
void Worker::take(std::vector<Described> all, RuntimeState& state) {
  if (all.size() >= Runtime::kMaxContainers) outbox_.count(&Counts::cut);
  for (Described& one : all) {
    using enum ContainerState;
    if (one.sandbox)
      state.sandboxes++;
    else
      (one.state == running   ? state.running
       : one.state == created ? state.created
                              : state.exited)++;
    Known* known = known_.find(one.id);
    const bool same = known && known->state == one.state && known->restarts == one.restarts;
    if (known) known->round = round_;
    if (same) continue;
    if (one.state != exited || one.sandbox || !look_up({.id = one.id})) say(std::move(one));
  }
  std::vector<std::string> gone;
  for (const auto& [id, known] : known_.entries())
    if (known.round != round_) gone.push_back(id);
  for (const std::string& id : gone) {
    known_.erase(id);
    outbox_.put(Removed{.time = monotonic_now(), .id = id});
  }
}

Status Worker::look_at_images(const std::stop_token& stop) {
  const auto listed = TRY(runtime_->images(stop));
  if (listed.size() >= Runtime::kMaxImages) outbox_.count(&Counts::cut);
  const bool first = !std::exchange(images_known_, true);
  const auto before = std::exchange(images_, {});
  for (const Image& image : listed) {
    if (!first && !before.contains(image.id))
      outbox_.put(Pulled{.time = monotonic_now(),
                         .runtime = version_.name,
                         .image = image.name,
                         .id = image.id,
                         .bytes = image.bytes});
    images_.emplace(image.id, image.name.empty() ? image.id : image.name);
  }
  return {};
}

void Worker::tell_calls() {
  const auto now = monotonic_now();
  for (Calls& calls : meter_.take()) {
    calls.time = now;
    calls.window = now - calls_since_;
    calls.runtime = version_.name;
    outbox_.put(std::move(calls));
  }
  calls_since_ = now;
}

void Worker::give_up_waiting() {
  std::unordered_map<std::string, Queued> left;
  {
    const std::scoped_lock lock(mutex_);
    left = std::exchange(queue_, {});
  }
  for (const auto& [id, queued] : left)
    if (queued.wanted.awaited) outbox_.put(Unnamed{.id = id});
}

// The thread that hears: while the other one is connected. Who has no events is not asked again
// before the next connection.
void Worker::hear(const std::stop_token& stop) {
  std::uint64_t tried = 0;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [&] { return connected_ && connection_ != tried; });
      tried = connection_;
    }
    if (stop.stop_requested()) return;
    auto made = options_.make(socket_, options_.asking);
    if (!made) continue;
    hears_events_ = true;
    const auto ended = (*made)->listen([this](const Heard& heard) { on_heard(heard); }, stop);
    hears_events_ = false;
    if (stop.stop_requested()) return;
    if (!ended && ended.error().fault == Fault::unsupported) continue;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, options_.backoff.after(4, random_number()), [] { return false; });
    tried--;  // again on the same connection
  }
}

void Worker::on_heard(const Heard& heard) {
  outbox_.count(&Counts::events);
  if (heard.what == Heard::What::container) {
    const auto patience = heard.began ? monotonic_now() + kPatience : MonotonicTime{};
    if (!look_up({.id = heard.id, .patience = patience})) outbox_.count(&Counts::refused);
    return;
  }
  const std::scoped_lock lock(mutex_);
  images_due_ = std::min(images_due_, monotonic_now() + kImagesPause);
  wake();
}

}  // namespace tapio::cri
