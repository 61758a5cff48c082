// SPDX-License-Identifier: Apache-2.0
#include "cri_observer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cri_schemas.hpp"

namespace tapio::cri {

namespace {

std::string_view name_of(RuntimeState::Is is) {
  switch (is) {
    case RuntimeState::Is::absent:
      return "absent";
    case RuntimeState::Is::denied:
      return "denied";
    case RuntimeState::Is::connected:
      return "connected";
    case RuntimeState::Is::silent:
      return "silent";
    case RuntimeState::Is::not_a_runtime:
      return "other";
  }
  return "";
}

std::size_t hash_of(std::string_view container_id) {
  return std::hash<std::string_view>{}(container_id);
}

bool is_same_state(const Described& a, const Described& b) {
  return a.state == b.state && a.restarts == b.restarts && a.exit_code == b.exit_code &&
         a.exit_reason == b.exit_reason;
}

Value text_or_none(std::string_view text, Arena& arena) {
  return text.empty() ? Value{} : Value{arena.keep(text)};
}

}  // namespace

CriObserver::CriObserver(const Config& config, std::unique_ptr<Runtimes> runtimes, Outside& outside,
                         std::string_view first)
    : config_(config), runtimes_(std::move(runtimes)), outside_(&outside) {
  for (const Told& told : unpacked(first)) {
    const auto* state = std::get_if<RuntimeState>(&told);
    if (!state || untold_.size() == kMaxSockets) continue;
    if (sockets_.insert_or_assign(state->socket, *state).second) untold_.push_back(*state);
  }
}

void CriObserver::on_settings(const config::Section& settings) {
  const auto& next = settings.as<Config>();
  config_.wait = next.wait;
  config_.skip_namespaces = next.skip_namespaces;
  config_.pause = next.pause;
}

void CriObserver::on_fact(const Fact& fact, Output& out) {
  if (const auto* created = std::get_if<CgroupCreated>(&fact)) on_created(*created, out);
  if (const auto* removed = std::get_if<CgroupRemoved>(&fact)) on_removed(*removed, out);
}

void CriObserver::on_created(const CgroupCreated& created, Output& out) {
  const Cgroup* cgroup = out.world().cgroup(created.cgroup_id);
  if (!cgroup || cgroup->container_id.empty()) return;
  // Facts that are published here may change the cgroup.
  const Wanted its{.id = std::string(cgroup->container_id),
                   .runtime = cgroup->runtime,
                   .in_pod = !cgroup->pod_uid.empty()};
  if (!cgroups_.find(hash_of(its.id))) cgroups_.use(hash_of(its.id)) = created.cgroup_id;
  // Perhaps its runtime has told of it already.
  if (!known_.find(its.id) && may_ask("")) take(now_, out);
  if (Known* known = known_.find(its.id); known && find_pod(known->said, out.world()))
    publish(*known, now_, out);
  if (known_.find(its.id) || unnamed_.find(its.id) || awaited_.contains(its.id) ||
      !may_ask(its.runtime))
    return;
  // One that was found on a walk is there for a while already: nothing is worth waiting for.
  const bool is_new = created.evidence != RecordId{};
  const bool awaited =
      is_new && !late_ && config_.wait.count() > 0 && awaited_.size() < kMaxAwaited;
  not_awaited_ += is_new && !awaited;
  if (awaited) {
    const MonotonicTime until = std::max(now_, created.time) + config_.wait;
    awaited_[its.id] = until;
    out.publish(
        ContainerAwaited{.time = created.time, .id = out.arena().keep(its.id), .until = until});
  }
  look_up(its, awaited);
}

// How it ended is known now, and perhaps not for long.
void CriObserver::on_removed(const CgroupRemoved& removed, Output& out) {
  const Cgroup* cgroup = out.world().cgroup(removed.cgroup_id);
  if (!cgroup || cgroup->container_id.empty() || !may_ask(cgroup->runtime)) return;
  const Wanted its{.id = std::string(cgroup->container_id),
                   .runtime = cgroup->runtime,
                   .in_pod = !cgroup->pod_uid.empty()};
  const Known* known = known_.find(its.id);
  if (known && known->said.state != ContainerState::exited) look_up(its, false);
}

bool CriObserver::may_ask(std::string_view runtime) const {
  return std::ranges::any_of(sockets_, [&](const auto& entry) {
    const RuntimeState& its = entry.second;
    return its.is == RuntimeState::Is::connected && (runtime.empty() || runtime == its.name);
  });
}

// A sandbox is known to its runtime only when it has started, so who is in a pod is waited for.
void CriObserver::look_up(const Wanted& its, bool awaited) {
  if (runtimes_) runtimes_->look_up(its.id, its.runtime, awaited, its.in_pod);
}

void CriObserver::on_advance(MonotonicTime watermark, Output& out) {
  now_ = std::max(now_, watermark);
  if (awaited_.empty()) return;
  take(now_, out);
  give_up(now_, out);
}

void CriObserver::on_tick(MonotonicTime now, Output& out) {
  now_ = std::max(now_, now);
  for (const RuntimeState& state : std::exchange(untold_, {})) emit(state, out);
  take(now_, out);
  say_again(now_, out);
}

void CriObserver::say_again(MonotonicTime now, Output& out) {
  for (std::size_t i = 0; i < kMaxSaidAgain && i < known_.size(); ++i) {
    const auto& [id, oldest] = known_.entries().front();
    if (oldest.published + kSayAgain > now) return;
    publish(known_.use(std::string(id)), now, out);
  }
}

void CriObserver::take(MonotonicTime now, Output& out) {
  const auto answer =
      outside_->ask("runtimes", [this] { return runtimes_ ? runtimes_->take() : std::string(); });
  for (const Told& told : unpacked(answer))
    std::visit([&](const auto& one) { on_told(one, now, out); }, told);
}

// Nobody waits for a runtime again before it has answered something.
void CriObserver::give_up(MonotonicTime now, Output& out) {
  std::erase_if(awaited_, [&](const auto& entry) {
    if (now < entry.second) return false;
    late_ = true;
    timeouts_++;
    out.publish(ContainerUnnamed{.time = now, .id = out.arena().keep(entry.first)});
    return true;
  });
}

bool CriObserver::is_wanted(const Described& one) const {
  return (config_.pause || !one.sandbox) &&
         std::ranges::find(config_.skip_namespaces, one.pod.space) == config_.skip_namespaces.end();
}

// A container may be gone before its runtime was asked in which sandbox it is.
bool CriObserver::find_pod(Described& one, const World& world) {
  if (!one.pod.name.empty()) return false;
  const auto* id = cgroups_.find(hash_of(one.id));
  const Cgroup* cgroup = id ? world.cgroup(*id) : nullptr;
  const Pod* pod = cgroup ? pods_.find(cgroup->pod_uid) : nullptr;
  if (pod) one.pod = *pod;
  return pod != nullptr;
}

void CriObserver::on_told(const Described& told, MonotonicTime now, Output& out) {
  Described one = told;
  find_pod(one, out.world());
  if (!one.pod.uid.empty() && !one.pod.name.empty()) pods_.use(one.pod.uid) = one.pod;
  late_ = false;
  awaited_.erase(one.id);
  unnamed_.erase(one.id);
  const Known* before = known_.find(one.id);
  RecordId evidence = before ? before->evidence : RecordId{};
  if (is_wanted(one) && (!before || !is_same_state(before->said, one)))
    evidence = emit(one, before ? &before->said : nullptr, false, out);
  Known& known = known_.use(told.id);
  known.said = std::move(one);
  known.evidence = evidence;
  publish(known, now, out);
}

void CriObserver::on_told(const Unnamed& unnamed, MonotonicTime now, Output& out) {
  if (unnamed.asked) {
    late_ = false;
    unnamed_.use(unnamed.id) = true;
  }
  if (awaited_.erase(unnamed.id) > 0)
    out.publish(ContainerUnnamed{.time = now, .id = out.arena().keep(unnamed.id)});
}

void CriObserver::on_told(const Removed& removed, MonotonicTime, Output& out) {
  const Known* known = known_.find(removed.id);
  if (!known) return;
  Described last = known->said;
  last.time = removed.time;
  if (is_wanted(last)) emit(last, &known->said, true, out);
  known_.erase(removed.id);
}

void CriObserver::on_told(const RuntimeState& state, MonotonicTime, Output& out) {
  const auto found = sockets_.find(state.socket);
  const bool same =
      found != sockets_.end() && found->second.is == state.is && found->second.name == state.name;
  if (found == sockets_.end() && sockets_.size() >= kMaxSockets) return;
  sockets_.erase("");
  sockets_[state.socket] = state;
  if (!same) emit(state, out);
  if (state.listed)
    out.emit(kContainers({.time = state.time}, text_or_none(state.name, out.arena()), state.running,
                         state.created, state.exited, state.sandboxes));
}

void CriObserver::emit(const RuntimeState& state, Output& out) {
  Arena& arena = out.arena();
  if (!state.socket.empty())
    out.emit(kRuntime({.time = state.time}, text_or_none(state.name, arena),
                      text_or_none(state.version, arena), arena.keep(state.socket),
                      name_of(state.is), text_or_none(state.reason, arena)));
}

// None at all is how many machines are; one that is there and does not answer is not.
std::optional<Remark> CriObserver::remark() const {
  Remark remark;
  bool is_any = false;
  for (const auto& [socket, state] : sockets_) {
    is_any |= state.is == RuntimeState::Is::connected;
    if (state.is == RuntimeState::Is::connected || state.is == RuntimeState::Is::absent) continue;
    remark.degraded = true;
    remark.text += fmt::format("{}{} is {}: {}", remark.text.empty() ? "" : "; ", socket,
                               name_of(state.is), state.reason);
  }
  if (remark.degraded)
    remark.text += ". Names of its containers are not known, ids are";
  else if (!is_any && !sockets_.empty())
    remark.text = "no container runtime found: names of containers are not known, ids are";
  else
    return {};
  return remark;
}

void CriObserver::on_told(const Calls& calls, MonotonicTime, Output& out) {
  out.emit(kCall({.time = calls.time}, out.arena().keep(calls.runtime),
                 out.arena().keep(calls.method), calls.window, calls.count, calls.errors,
                 calls.median, calls.p99, calls.longest));
}

void CriObserver::on_told(const Pulled& pulled, MonotonicTime, Output& out) {
  Arena& arena = out.arena();
  out.emit(kPulled({.time = pulled.time}, arena.keep(pulled.runtime),
                   text_or_none(pulled.image, arena), arena.keep(pulled.id), pulled.bytes));
}

void CriObserver::on_told(const Counts& counts, MonotonicTime, Output&) {
  counts_ = counts;
}

void CriObserver::publish(Known& known, MonotonicTime now, Output& out) const {
  const Described& one = known.said;
  Arena& arena = out.arena();
  known.published = now;
  out.publish(ContainerDescribed{.time = std::max(one.time, now),
                                 .evidence = known.evidence,
                                 .id = arena.keep(one.id),
                                 .runtime = arena.keep(one.runtime),
                                 .name = arena.keep(one.name),
                                 .image = arena.keep(one.image),
                                 .pod_name = arena.keep(one.pod.name),
                                 .pod_namespace = arena.keep(one.pod.space),
                                 .pod_uid = arena.keep(one.pod.uid),
                                 .sandbox_id = arena.keep(one.sandbox_id),
                                 .sandbox = one.sandbox,
                                 .restarts = one.restarts,
                                 .state = one.state,
                                 .exit_code = one.exit_code,
                                 .exit_reason = arena.keep(one.exit_reason)});
}

RecordId CriObserver::emit(const Described& one, const Described* before, bool removed,
                           Output& out) {
  Arena& arena = out.arena();
  const auto text = [&](std::string_view said) { return text_or_none(said, arena); };
  const bool has_ended = one.state == ContainerState::exited && !one.sandbox;
  const auto* cgroup = cgroups_.find(hash_of(one.id));
  const Origin origin{.time = one.time, .cgroup_id = cgroup ? *cgroup : 0};
  return out.emit(kContainer(
      origin, arena.keep(one.id), text(one.name), text(one.image), text(one.runtime),
      text(one.pod.name), text(one.pod.space), text(one.pod.uid), text(one.sandbox_id), one.sandbox,
      removed ? "removed" : name(one.state), before ? Value{name(before->state)} : Value{},
      std::uint64_t{one.restarts}, has_ended ? Value{std::int64_t{one.exit_code}} : Value{},
      text(one.exit_reason), text(one.labels)));
}

std::vector<Counter> CriObserver::counters() const {
  const auto in_state = [this](RuntimeState::Is is) {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(sockets_, [is](const auto& entry) { return entry.second.is == is; }));
  };
  return {{"runtimes", in_state(RuntimeState::Is::connected)},
          {"denied", in_state(RuntimeState::Is::denied)},
          {"silent", in_state(RuntimeState::Is::silent)},
          {"reconnects", counts_.reconnects},
          {"lookups", counts_.lookups},
          {"unknown", counts_.unknown},
          {"refused", counts_.refused},
          {"timeouts", timeouts_},
          {"not_awaited", not_awaited_},
          {"calls", counts_.calls},
          {"failures", counts_.failures},
          {"events", counts_.events},
          {"dropped", counts_.dropped},
          {"cut", counts_.cut}};
}

}  // namespace tapio::cri
