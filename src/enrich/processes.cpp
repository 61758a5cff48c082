// SPDX-License-Identifier: Apache-2.0
#include "enrich/processes.hpp"

#include <algorithm>
#include <utility>

namespace tapio {
namespace {

std::string joined(std::span<const std::string_view> args, std::size_t limit) {
  std::string text;
  for (const auto arg : args) {
    if (text.size() >= limit) break;
    text.append(arg.substr(0, limit - text.size())).push_back('\0');
  }
  return text;
}

// Whether joined() would give this.
bool is_joined(std::string_view text, std::span<const std::string_view> args, std::size_t limit) {
  std::size_t at = 0;
  for (const auto arg : args) {
    if (at >= limit) break;
    const auto part = arg.substr(0, limit - at);
    if (text.size() <= at + part.size() || text.substr(at, part.size()) != part) return false;
    at += part.size();
    if (text[at++] != '\0') return false;
  }
  return at == text.size();
}

std::size_t bytes(const ProcessImage& image) {
  return image.executable.size() + image.args_text.size();
}

}  // namespace

// ProcessStarted is the only word on who forked it: an exec names the parent of that moment.
void Processes::started(const ProcessStarted& fact) {
  Entry* entry = locate(fact.process);
  // A pid that came round within one tick.
  if (entry && entry->process.life == Life::exited && fact.time > entry->process.exited) {
    erase(*entry);
    entry = nullptr;
  }
  if (entry && entry->start_seen) {
    counted_.duplicates++;
    return;
  }
  if (!entry) entry = &insert(fact.process, fact.time);
  entry->start_seen = true;
  Process& process = entry->process;
  process.started = fact.time;
  process.parent = fact.parent;
  process.virtual_pid = fact.virtual_pid;
  process.pid_namespace = fact.pid_namespace;
  const bool newest = fact.time >= entry->heard;
  if (newest || process.cgroup_id == 0) process.cgroup_id = fact.cgroup_id;
  if (newest || process.name.empty()) process.name = fact.name.substr(0, kMaxName);
  inherit(*entry, fact);
  touch(*entry, fact.time);
}

void Processes::inherit(Entry& child, const ProcessStarted& fact) {
  Entry* parent = locate(fact.parent);
  if (parent) touch(*parent, fact.time);
  if (child.image_time.count() != 0) return;  // its exec came first
  // A parent that has executed since was something else when it forked.
  if (parent && parent->image_time <= fact.time) {
    share_image(child, parent->image);
    child.process.mount_namespace = parent->process.mount_namespace;
    if (!fact.credentials && parent->process.credentials) {
      auto credentials = *parent->process.credentials;
      credentials.uid = fact.uid;
      set_credentials(child, credentials, fact.time);
    }
  }
  if (fact.credentials) set_credentials(child, *fact.credentials, fact.time);
  child.image_time = fact.time;
}

void Processes::describe(Entry& entry, const ProcessExecuted& fact) {
  Process& process = entry.process;
  if (!process.parent) process.parent = fact.parent;
  if (process.virtual_pid == 0) process.virtual_pid = fact.virtual_pid;
  if (process.pid_namespace == 0) process.pid_namespace = fact.pid_namespace;
  if (fact.cgroup_id != 0 && (fact.time >= entry.heard || process.cgroup_id == 0))
    process.cgroup_id = fact.cgroup_id;
  touch(entry, fact.time);
}

void Processes::executed(const ProcessExecuted& fact) {
  Entry& entry = know(fact.process, fact.time);
  describe(entry, fact);
  if (fact.time < entry.image_time) {
    counted_.stale++;
    return;
  }
  entry.process.executed = fact.time;
  entry.process.exec_evidence = fact.evidence;
  if (fact.mount_namespace != 0) entry.process.mount_namespace = fact.mount_namespace;
  set_image(entry, fact);
}

void Processes::exited(const ProcessExited& fact) {
  Entry& entry = know(fact.process, fact.time);
  Process& process = entry.process;
  if (process.life == Life::exited) {
    counted_.duplicates++;
    return;
  }
  process.exit_code = fact.code;
  process.exit_signal = fact.signal;
  if (!process.parent) process.parent = fact.parent;
  // The comm is that of the thread that went last; the leader's, if known, says more.
  if (process.name.empty()) process.name = fact.name.substr(0, kMaxName);
  if (fact.cgroup_id != 0) process.cgroup_id = fact.cgroup_id;
  touch(entry, fact.time);
  retire(entry, Life::exited, fact.time);
  expire(fact.time);
}

void Processes::signaled(const SignalSent& fact) {
  mention(fact.sender, fact.sender_name, fact.sender_cgroup_id, fact.time);
  mention(fact.target, fact.target_name, fact.target_cgroup_id, fact.time);
}

void Processes::credentials_changed(const CredentialsChanged& fact) {
  mention(fact.process, fact.name, fact.cgroup_id, fact.time);
  set_credentials(know(fact.process, fact.time), fact.after, fact.time);
}

void Processes::moved(const ProcessMoved& fact) {
  mention(fact.process, {}, fact.to, fact.time);
}

void Processes::set_credentials(Entry& entry, const Credentials& credentials, MonotonicTime time) {
  if (time < entry.credentials_time) {
    counted_.stale++;
    return;
  }
  entry.credentials_time = time;
  const auto shared = credentials_.try_emplace(credentials).first;
  shared->second++;
  drop_credentials(entry);
  entry.process.credentials = &shared->first;
}

void Processes::drop_credentials(Entry& entry) {
  const Credentials* had = std::exchange(entry.process.credentials, nullptr);
  if (!had) return;
  const auto shared = credentials_.find(*had);
  if (--shared->second == 0) credentials_.erase(shared);
}

void Processes::mention(ProcessId id, std::string_view name, std::uint64_t cgroup_id,
                        MonotonicTime time) {
  if (!id) return;
  Entry& entry = know(id, time);
  Process& process = entry.process;
  if (process.name.empty()) process.name = name.substr(0, kMaxName);
  if (cgroup_id != 0 && (time >= entry.heard || process.cgroup_id == 0))
    process.cgroup_id = cgroup_id;
  touch(entry, time);
}

void Processes::expire(MonotonicTime now) {
  while (!exited_.empty() && exited_.front().process.exited + limits_.remembered < now)
    erase(exited_.front());
}

void Processes::seen(const ProcessExecuted& snapshot) {
  Entry* entry = locate(snapshot.process);
  if (!entry) entry = &insert(snapshot.process, snapshot.time);
  if (entry->process.life == Life::exited) return;
  if (entry->process.life == Life::unknown && snapshot.time >= entry->process.exited)
    revive(*entry);
  entry->walk = walk_;
  describe(*entry, snapshot);
  if (snapshot.time > entry->image_time) set_image(*entry, snapshot);
}

void Processes::begin_resync(MonotonicTime now) {
  walk_++;
  walk_began_ = now;
}

void Processes::end_resync(Coverage coverage) {
  if (coverage == Coverage::partial) return;
  for (auto it = live_.begin(); it != live_.end();) {
    Entry& entry = *it++;
    if (entry.walk == walk_ || entry.heard >= walk_began_) continue;
    counted_.unknown_exits++;
    retire(entry, Life::unknown, walk_began_);
  }
}

const Process* Processes::find(ProcessId id) const {
  const Entry* entry = locate(id);
  return entry ? &entry->process : nullptr;
}

const Process* Processes::find(std::uint32_t pid) const {
  const auto it = newest_.find(pid);
  return it == newest_.end() ? nullptr : &it->second->process;
}

std::vector<const Process*> Processes::living(std::size_t most) const {
  std::vector<const Process*> list;
  list.reserve(std::min(most, live_.size()));
  for (auto entry = live_.rbegin(); entry != live_.rend() && list.size() < most; ++entry)
    list.push_back(&entry->process);
  return list;
}

Processes::Stats Processes::stats() const {
  Stats stats = counted_;
  stats.live = live_.size();
  stats.exited = exited_.size();
  stats.text_bytes = text_bytes_;
  return stats;
}

Processes::Entry* Processes::locate(ProcessId id) const {
  const auto it = newest_.find(id.pid);
  Entry* entry = it == newest_.end() ? nullptr : it->second;
  while (entry && entry->process.id != id) entry = entry->older;
  return entry;
}

Processes::Entry& Processes::know(ProcessId id, MonotonicTime time) {
  if (Entry* entry = locate(id)) return *entry;
  counted_.never_started++;
  return insert(id, time);
}

Processes::Entry& Processes::insert(ProcessId id, MonotonicTime time) {
  limit_incarnations(id.pid);
  if (live_.size() >= limits_.live) {
    counted_.evicted_live++;
    erase(live_.front());
  }
  Entry& entry = live_.emplace_back();
  entry.self = std::prev(live_.end());
  entry.process.id = id;
  link(entry);
  if (newest_[id.pid] != &entry) {  // the pid has gone to somebody else since
    counted_.unknown_exits++;
    retire(entry, Life::unknown, time);
  } else if (Entry* before = entry.older; before && before->process.life == Life::running) {
    counted_.unknown_exits++;
    retire(*before, Life::unknown, time);
  }
  return entry;
}

// Youngest first.
void Processes::link(Entry& entry) {
  Entry** place = &newest_[entry.process.id.pid];
  while (*place && (*place)->process.id.start_ticks > entry.process.id.start_ticks)
    place = &(*place)->older;
  entry.older = std::exchange(*place, &entry);
}

void Processes::limit_incarnations(std::uint32_t pid) {
  const auto it = newest_.find(pid);
  if (it == newest_.end()) return;
  std::size_t count = 1;
  Entry* oldest = it->second;
  for (; oldest->older; oldest = oldest->older) count++;
  if (count < kMaxIncarnations) return;
  counted_.evicted_exited++;  // only the youngest may be alive
  erase(*oldest);
}

void Processes::retire(Entry& entry, Life life, MonotonicTime time) {
  const bool lived = entry.process.life == Life::running;
  entry.process.life = life;
  entry.process.exited = time;
  if (!lived) return;
  exited_.splice(exited_.end(), live_, entry.self);
  if (entry.image) {
    entry.image->dead++;
    entry.image->living--;
    mourn(*entry.image);
  }
  limit_exited();
}

void Processes::limit_exited() {
  const std::size_t most =
      memory_is_short_ ? std::min(limits_.spare_exited, limits_.exited) : limits_.exited;
  while (exited_.size() > most) {
    counted_.evicted_exited++;
    erase(exited_.front());
  }
}

void Processes::spare_memory(bool is_short) {
  memory_is_short_ = is_short;
  limit_exited();
}

void Processes::revive(Entry& entry) {
  if (newest_[entry.process.id.pid] != &entry) return;
  entry.process.life = Life::running;
  entry.process.exited = {};
  live_.splice(live_.end(), exited_, entry.self);
  if (!entry.image) return;
  entry.image->dead--;
  entry.image->living++;
  if (entry.image->text == Text::full_dead) move(*entry.image, Text::full_live);
}

void Processes::erase(Entry& entry) {
  drop_image(entry);
  drop_credentials(entry);
  const auto it = newest_.find(entry.process.id.pid);
  Entry** place = &it->second;
  while (*place != &entry) place = &(*place)->older;
  *place = entry.older;
  if (!it->second) newest_.erase(it);
  (entry.process.life == Life::running ? live_ : exited_).erase(entry.self);
}

void Processes::touch(Entry& entry, MonotonicTime time) {
  entry.heard = std::max(entry.heard, time);
  if (entry.process.life == Life::running) live_.splice(live_.end(), live_, entry.self);
}

void Processes::set_image(Entry& entry, const ProcessExecuted& fact) {
  entry.image_time = fact.time;
  set_credentials(entry, fact.credentials, fact.time);
  entry.process.name = fact.name.substr(0, kMaxName);
  // Workers that were found have what their parent has, and storms are often of one program.
  const Entry* parent = locate(entry.process.parent);
  for (Image* known : {entry.image, parent ? parent->image : nullptr, latest_image_})
    if (known && is_of(known->image, fact)) return share_image(entry, known);
  auto& list = images_[std::to_underlying(Text::full_live)];
  Image& created = list.emplace_back();
  created.self = std::prev(list.end());
  created.image = {.executable = std::string(fact.executable.substr(0, limits_.args_bytes)),
                   .args_text = joined(fact.args, limits_.args_bytes),
                   .args_bytes = fact.args_bytes};
  text_bytes_ += bytes(created.image);
  latest_image_ = &created;
  share_image(entry, &created);
  trim();
}

bool Processes::is_of(const ProcessImage& image, const ProcessExecuted& fact) const {
  const auto limit = limits_.args_bytes;
  return image.executable == fact.executable.substr(0, limit) &&
         image.args_bytes == fact.args_bytes && is_joined(image.args_text, fact.args, limit);
}

void Processes::share_image(Entry& entry, Image* image) {
  if (image == entry.image) return;
  drop_image(entry);
  if (!image) return;
  entry.image = image;
  entry.process.image = &image->image;
  if (entry.process.life != Life::running) {
    image->dead++;
    mourn(*image);
    return;
  }
  image->living++;
  if (image->text == Text::full_dead) move(*image, Text::full_live);
}

void Processes::drop_image(Entry& entry) {
  Image* image = std::exchange(entry.image, nullptr);
  entry.process.image = &kNoImage;
  if (!image) return;
  (entry.process.life == Life::running ? image->living : image->dead)--;
  if (image->living + image->dead > 0) return mourn(*image);
  text_bytes_ -= bytes(image->image);
  if (image == latest_image_) latest_image_ = nullptr;
  images_[std::to_underlying(image->text)].erase(image->self);
}

void Processes::mourn(Image& image) {
  if (image.living == 0 && image.text == Text::full_live) move(image, Text::full_dead);
}

void Processes::move(Image& image, Text to) {
  auto& from = images_[std::to_underlying(std::exchange(image.text, to))];
  auto& list = images_[std::to_underlying(to)];
  list.splice(list.end(), from, image.self);
}

void Processes::shorten(Image& image, Text to) {
  const auto before = bytes(image.image);
  if (to == Text::bare) image.image.executable = {};
  const bool keep = image.text == Text::full_live;
  image.image.args_text.resize(std::min(image.image.args_text.size(), keep ? kKeptArgs : 0));
  image.image.args_text.shrink_to_fit();
  const auto after = bytes(image.image);
  text_bytes_ -= before - after;
  if (after < before) counted_.texts_cut++;
  move(image, to);
}

void Processes::trim() {
  static constexpr std::pair<Text, Text> kSteps[] = {
      {Text::full_dead, Text::cut}, {Text::full_live, Text::cut}, {Text::cut, Text::bare}};
  for (const auto& [from, to] : kSteps)
    for (auto& list = images_[std::to_underlying(from)];
         text_bytes_ > limits_.text_bytes && !list.empty();)
      shorten(list.front(), to);
}

}  // namespace tapio
