// SPDX-License-Identifier: Apache-2.0
#include "export/outlet.hpp"

#include <algorithm>

namespace tapio {

std::string_view name(DropReason reason) {
  switch (reason) {
    case DropReason::queue_full:
      return "queue_full";
    case DropReason::failed:
      return "failed";
  }
  return "unknown";
}

void Tally::add(const Batch& batch) {
  for (const Record& record : batch.records) {
    const auto event_class = static_cast<std::size_t>(record.origin.event_class);
    ++counts[event_class][static_cast<std::size_t>(record.schema->kind)];
  }
}

std::uint64_t Tally::of(tapio_class event_class, Kind kind) const {
  return counts[static_cast<std::size_t>(event_class)][static_cast<std::size_t>(kind)];
}

std::uint64_t Tally::total() const {
  std::uint64_t sum = 0;
  for (const auto& kinds : counts)
    for (const std::uint64_t count : kinds) sum += count;
  return sum;
}

const Tally& OutletCounts::dropped(DropReason reason) const {
  return dropped_by[static_cast<std::size_t>(reason)];
}

std::uint64_t OutletCounts::dropped() const {
  return dropped(DropReason::queue_full).total() + dropped(DropReason::failed).total();
}

std::chrono::milliseconds retry_delay(const OutletLimits& limits, unsigned failures,
                                      std::uint32_t random) {
  auto delay = std::min(limits.first_delay, limits.longest_delay);
  for (unsigned i = 1; i < failures && delay < limits.longest_delay; ++i)
    delay = std::min(2 * delay, limits.longest_delay);
  const auto half = delay / 2;
  return half + std::chrono::milliseconds(random % ((delay - half).count() + 1));
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
  changed_.notify_one();
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
  for (Batches group = next(stop); !group.empty(); group = next(stop)) deliver(group, stop);
}

// Empty: stopped, and nothing is left.
Outlet::Batches Outlet::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [&] { return !queue_.empty(); })) return {};
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
  changed_.wait_until(lock, stop, until,
                      [&] { return urgent_ || queued_records_ >= gathering_.records; });
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
                     retry_delay(limits_, failures, static_cast<std::uint32_t>(random_()));
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
    counts_.pending -= batch->records.size();
    counts_.queued_bytes -= batch->bytes();
    if (dropped)
      counts_.dropped_by[static_cast<std::size_t>(*dropped)].add(*batch);
    else
      counts_.sent += batch->records.size();
  }
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
