// SPDX-License-Identifier: Apache-2.0
#include "decode/intake.hpp"

#include <pthread.h>

#include "base/log.hpp"

namespace tapio {

Status Intake::start() {
  drain_ = TRY(capture::Drain::open(channels_));
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  ::pthread_setname_np(thread_.native_handle(), "tapio-drain");
  return {};
}

void Intake::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  consume();
}

void Intake::consume() {
  const std::lock_guard lock(mutex_);
  const auto before = monotonic_now();
  for (auto* channel : channels_) channel->consume();
  drained_ = before;
  if (is_due()) came_.notify_one();
}

bool Intake::is_due() const {
  return urgent_ || waiting_.size() >= kEnoughBytes || drained_ >= handed_on_ + kHandOn;
}

void Intake::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (auto waited = drain_.wait(kBeat); !waited) {
      log::error("{}: no more events are read", waited.error().what);
      return;
    }
    consume();
  }
}

void Intake::take(Bytes raw) {
  const auto sample = wire::open_sample(raw);
  const auto known = sample ? sources_.find(sample->header.kind >> 8) : sources_.end();
  if (known == sources_.end() || sample->header.hook >= TAPIO_MAX_HOOKS ||
      sample->header.event_class >= TAPIO_CLASSES) {
    malformed_++;
    return;
  }
  Source& source = known->second;
  const auto& header = sample->header;
  source.counts.read++;
  source.ledger->saw(header);
  source.last[header.hook] = MonotonicTime(header.time_ns);
  if (header.flags & TAPIO_CANARY) {
    source.counts.canary++;
    source.canaries[header.hook] = true;
    return;
  }
  queue(source, *sample);
}

void Intake::queue(Source& source, const wire::Sample& sample) {
  const bool needed =
      sample.header.event_class == TAPIO_STATE || sample.header.event_class == TAPIO_CRITICAL;
  if (waiting_.size() + sample.bytes.size() > (needed ? 2 * kMaxBytes : kMaxBytes)) {
    source.counts.queue_dropped[sample.header.event_class]++;
    return;
  }
  source.counts.queued++;
  urgent_ |= sample.header.event_class == TAPIO_CRITICAL;
  waiting_samples_++;
  waiting_.insert(waiting_.end(), sample.bytes.begin(), sample.bytes.end());
}

MonotonicTime Intake::next(std::vector<std::byte>& block, std::chrono::milliseconds wait) {
  block.clear();
  std::unique_lock lock(mutex_);
  came_.wait_for(lock, wait, [this] { return is_due(); });
  urgent_ = false;
  handed_on_ = drained_;
  block.swap(waiting_);
  handed_out_ += std::exchange(waiting_samples_, 0);
  return drained_;
}

void Intake::each(Bytes block, const std::function<void(const wire::Sample&)>& on_sample) {
  while (!block.empty()) {
    const auto sample = wire::open_sample(block);
    if (!sample) return;  // cannot be: only whole samples are queued
    on_sample(*sample);
    block = block.subspan(sample->bytes.size());
  }
}

Intake::Counts Intake::counts(std::uint8_t observer) {
  const std::lock_guard lock(mutex_);
  return sources_[observer].counts;
}

std::uint64_t Intake::handed_out() {
  const std::lock_guard lock(mutex_);
  return handed_out_;
}

std::uint64_t Intake::malformed() {
  const std::lock_guard lock(mutex_);
  return malformed_;
}

bool Intake::canary_seen(std::uint8_t observer, std::uint8_t hook) {
  const std::lock_guard lock(mutex_);
  return sources_[observer].canaries.at(hook);
}

MonotonicTime Intake::last_seen(std::uint8_t observer, std::uint8_t hook) {
  const std::lock_guard lock(mutex_);
  return sources_[observer].last.at(hook);
}

}  // namespace tapio
