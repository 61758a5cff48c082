// SPDX-License-Identifier: Apache-2.0
#include "export/outlet.hpp"

#include <pthread.h>

#include <algorithm>
#include <numeric>

namespace tapio {

std::string_view name(DropReason reason) {
  switch (reason) {
    case DropReason::queue_full:
      return "queue_full";
    case DropReason::failed:
      return "failed";
    case DropReason::not_kept:
      return "not_kept";
  }
  return "unknown";
}

const Tally& OutletCounts::dropped(DropReason reason) const {
  return dropped_by[static_cast<std::size_t>(reason)];
}

std::uint64_t OutletCounts::dropped() const {
  return std::accumulate(dropped_by.begin(), dropped_by.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Tally& tally) { return sum + tally.total(); });
}

bool is_urgent(const Batch& batch) {
  return std::ranges::any_of(batch.records, [](const Record& record) {
    const Kind kind = record.schema->kind;
    return record.origin.event_class == TAPIO_CRITICAL || kind == Kind::finding ||
           kind == Kind::story;
  });
}

Outlet::Outlet(std::string name, std::unique_ptr<Sink> sink, OutletLimits limits)
    : name_(std::move(name)),
      sink_(std::move(sink)),
      gathering_(sink_->gathering()),
      keeps_(sink_->keeps()),
      limits_(limits),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Outlet::~Outlet() {
  stop(std::chrono::steady_clock::now());
}

void Outlet::offer(std::shared_ptr<const Batch> batch) {
  const std::size_t records = batch->records.size();
  const std::size_t bytes = batch->bytes();
  if (records == 0) return;
  const bool urgent = gathering_.time.count() > 0 && is_urgent(*batch);
  const std::scoped_lock lock(mutex_);
  counts_.offered += records;
  const bool stopped = deadline_.has_value();
  if (stopped || bytes > limits_.queue_bytes - counts_.queued_bytes) {
    const auto reason = stopped ? DropReason::failed : DropReason::queue_full;
    counts_.dropped_by[static_cast<std::size_t>(reason)].add(*batch);
    return;
  }
  counts_.pending += records;
  counts_.queued_bytes += bytes;
  queued_records_ += records;
  urgent_ |= urgent;
  sink_->on_queued(*batch);
  queue_.push_back(std::move(batch));
  if (queue_.size() == 1 || is_enough()) changed_.notify_one();
}

// Who gathers need not be woken for less.
bool Outlet::is_enough() const {
  return urgent_ || queued_records_ >= gathering_.records;
}

void Outlet::configure(std::unique_ptr<config::Section> settings) {
  const std::scoped_lock lock(mutex_);
  settings_ = std::move(settings);
}

void Outlet::stop(Deadline deadline) {
  {
    const std::scoped_lock lock(mutex_);
    if (!deadline_) deadline_ = deadline;
  }
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

OutletCounts Outlet::counts() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

void Outlet::run(const std::stop_token& stop) {
  static constexpr std::size_t kMaxThreadName = 15;  // TASK_COMM_LEN without its end
  ::pthread_setname_np(::pthread_self(), ("tapio-" + name_).substr(0, kMaxThreadName).c_str());
  if (keeps_) settle();
  while (const auto group = next(stop)) {
    if (!group->empty()) deliver(*group, stop);
    if (keeps_) settle();
  }
  sink_->finish(*deadline_);
  if (keeps_) settle();
}

// Empty: it is time to ask the sink what became of what it keeps. Nothing: stopped, and nothing is
// left.
std::optional<Outlet::Batches> Outlet::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto queued = [&] { return !queue_.empty(); };
  if (counts_.kept > 0)
    changed_.wait_for(lock, stop, kSettleEvery, queued);
  else
    changed_.wait(lock, stop, queued);
  if (queue_.empty()) return stop.stop_requested() ? std::nullopt : std::optional(Batches());
  if (gathering_.time.count() > 0) gather(lock, stop);
  Batches group;
  std::size_t records = 0;
  do {
    records += queue_.front()->records.size();
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  } while (!queue_.empty() && records + queue_.front()->records.size() <= gathering_.records);
  queued_records_ -= records;
  urgent_ = urgent_ && !queue_.empty();
  return group;
}

void Outlet::gather(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + gathering_.time;
  changed_.wait_until(lock, stop, until, [&] { return is_enough(); });
}

void Outlet::deliver(const Batches& group, const std::stop_token& stop) {
  for (unsigned failures = 1;; ++failures) {
    if (too_late()) return finish(group, DropReason::failed);
    const Status status = write(group);
    if (status) return finish(group, std::nullopt);
    complain(status.error());
    if (status.error().fault != Fault::unavailable || !wait_to_retry(failures, stop))
      return finish(group, DropReason::failed);
  }
}

Status Outlet::write(const Batches& group) {
  std::unique_ptr<config::Section> settings;
  {
    const std::scoped_lock lock(mutex_);
    settings = std::move(settings_);
  }
  if (settings) sink_->on_settings(*settings);
  return sink_->write_group(group);
}

bool Outlet::wait_to_retry(unsigned failures, const std::stop_token& stop) {
  const auto never = [] { return false; };
  const auto until = std::chrono::steady_clock::now() +
                     limits_.retry.after(failures, static_cast<std::uint32_t>(random_()));
  std::unique_lock lock(mutex_);
  ++counts_.retries;
  if (!hurried_) {
    changed_.wait_until(lock, stop, until, never);
    hurried_ = stop.stop_requested();
  } else {
    changed_.wait_until(lock, std::min(until, *deadline_), never);
  }
  return !deadline_ || std::chrono::steady_clock::now() < *deadline_;
}

void Outlet::finish(const Batches& group, std::optional<DropReason> dropped) {
  const std::scoped_lock lock(mutex_);
  for (const auto& batch : group) {
    counts_.queued_bytes -= batch->bytes();
    if (keeps_ && !dropped) {
      counts_.kept += batch->records.size();
      continue;
    }
    counts_.pending -= batch->records.size();
    if (dropped)
      counts_.dropped_by[static_cast<std::size_t>(*dropped)].add(*batch);
    else
      counts_.sent += batch->records.size();
  }
}

void Outlet::settle() {
  const Settled settled = sink_->settle();
  const std::scoped_lock lock(mutex_);
  const std::uint64_t found = settled.found.total();
  const std::uint64_t gone = settled.sent.total() + settled.dropped.total();
  counts_.offered += found;
  counts_.kept += found - gone;
  counts_.pending += found - gone;
  counts_.sent += settled.sent.total();
  counts_.dropped_by[static_cast<std::size_t>(DropReason::not_kept)] += settled.dropped;
}

void Outlet::complain(const Error& error) {
  std::uint64_t unsaid = 0;
  if (!complaints_.due(monotonic_now(), unsaid)) return;
  const bool later = error.fault == Fault::unavailable;
  log::warning("sink {}: {} ({}; {} more like it)", name_, error.what,
               later ? "trying again" : "its records are dropped", unsaid);
}

bool Outlet::too_late() const {
  const std::scoped_lock lock(mutex_);
  return deadline_ && std::chrono::steady_clock::now() >= *deadline_;
}

}  // namespace tapio
