// SPDX-License-Identifier: Apache-2.0
#include "otlp_outbox.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace tapio::otlp {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Outbox::Outbox(std::unique_ptr<Spool> spool, Backoff backoff)
    : backoff_(backoff), spool_(std::move(spool)) {}

Status Outbox::put(std::vector<Request>& requests) {
  const std::scoped_lock lock(mutex_);
  const auto fits_in_memory = [&](const Request& request) { return !has_work(request.signal); };
  const auto for_spool = std::ranges::partition(requests, fits_in_memory);
  if (!spool_ && !for_spool.empty())
    return fail(Fault::unavailable, "the receiver is slow or away, and there is no spool");
  if (spool_) TRY(spool_->put(std::span(for_spool)));
  for (Request& request : std::span(requests.begin(), for_spool.begin())) {
    auto& slot = lane(request.signal).slot;
    slot = std::make_shared<const Request>(std::move(request));
  }
  requests.clear();
  changed_.notify_all();
  return {};
}

bool Outbox::has_work(Signal signal) const {
  return lanes_[static_cast<std::size_t>(signal)].slot || (spool_ && spool_->waiting(signal) > 0);
}

std::optional<Outbox::Parcel> Outbox::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const Time now = steady_clock::now();
    for (std::size_t i = 0; i < kSignals; ++i) {
      const Signal signal = kAllSignals[(turn_ + i) % kSignals];
      auto parcel = take(signal, now);
      if (!parcel) continue;
      turn_ = static_cast<std::size_t>(signal) + 1;
      return parcel;
    }
    const Time until = earliest();
    const auto sooner = [&] { return earliest() < until; };
    if (until == Time::max())
      changed_.wait(lock, stop, sooner);
    else
      changed_.wait_until(lock, stop, until, sooner);
  }
  return std::nullopt;
}

// When something will be due that is not yet.
Outbox::Time Outbox::earliest() const {
  Time time = Time::max();
  for (const Signal signal : kAllSignals)
    if (has_work(signal))
      time = std::min(time, lanes_[static_cast<std::size_t>(signal)].next_attempt);
  return time;
}

std::optional<Outbox::Parcel> Outbox::take(Signal signal, Time now) {
  Lane& own = lane(signal);
  if (!has_work(signal) || now < own.next_attempt) return std::nullopt;
  if (own.slot) return Parcel{.request = own.slot, .row = {}};
  auto entry = spool_->oldest(signal);
  if (entry && *entry)
    return Parcel{.request = std::make_shared<const Request>(std::move((*entry)->request)),
                  .row = (*entry)->row};
  if (!entry) log::warning("sink otlp: {}", entry.error().what);
  own.next_attempt = now + backoff_.longest;
  return std::nullopt;
}

milliseconds Outbox::done(const Parcel& parcel, const Outcome& outcome) {
  const std::scoped_lock lock(mutex_);
  Lane& own = lane(parcel.request->signal);
  milliseconds wait{};
  const bool settled = outcome.what != Outcome::What::later && remove(parcel);
  if (!settled) {
    wait = backoff_.after(++own.failures, static_cast<std::uint32_t>(random_()));
    if (outcome.retry_after)
      wait = std::max<milliseconds>(wait, std::min(*outcome.retry_after, kLongestPause));
  } else {
    own.failures = 0;
    const bool refused = outcome.what == Outcome::What::refused;
    count(parcel.request->tally, refused ? parcel.request->tally.total() : outcome.rejected);
  }
  own.next_attempt = steady_clock::now() + wait;
  changed_.notify_all();
  return wait;
}

// False: it is still there, will be sent again, and counts then.
bool Outbox::remove(const Parcel& parcel) {
  if (!parcel.row) {
    lane(parcel.request->signal).slot.reset();
    return true;
  }
  const Status removed = spool_->remove(*parcel.row);
  if (!removed)
    log::warning("sink otlp: a request that was sent will be sent again: {}", removed.error().what);
  return removed.has_value();
}

// A receiver that rejects some does not say which: they count as the first of what there was.
void Outbox::count(const Tally& tally, std::uint64_t rejected) {
  settled_.sent += tally;
  for (std::size_t c = 0; c < tally.counts.size(); ++c)
    for (std::size_t k = 0; k < Tally::kKinds; ++k) {
      const std::uint64_t part = std::min(rejected, tally.counts[c][k]);
      settled_.sent.counts[c][k] -= part;
      settled_.dropped.counts[c][k] += part;
      rejected -= part;
    }
}

Settled Outbox::settle() {
  const std::scoped_lock lock(mutex_);
  if (spool_) {
    settled_.found += spool_->take_found();
    settled_.dropped += spool_->take_lost();
  }
  return std::exchange(settled_, {});
}

bool Outbox::is_idle() const {
  return std::ranges::none_of(kAllSignals, [&](Signal signal) {
    return has_work(signal) && lanes_[static_cast<std::size_t>(signal)].failures == 0;
  });
}

void Outbox::wait_until_idle(Time deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return is_idle(); });
}

void Outbox::put_away() {
  const std::scoped_lock lock(mutex_);
  for (Lane& each : lanes_) {
    const auto request = std::exchange(each.slot, nullptr);
    if (!request) continue;
    const Status kept =
        spool_ ? spool_->put({request.get(), 1}) : fail(Fault::unavailable, "there is no spool");
    if (kept) continue;
    log::warning("sink otlp: what was on its way is lost: {}", kept.error().what);
    settled_.dropped += request->tally;
  }
}

std::uint64_t Outbox::waiting() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t count = 0;
  for (const Lane& each : lanes_) count += each.slot ? 1 : 0;
  if (spool_)
    for (const Signal signal : kAllSignals) count += spool_->waiting(signal);
  return count;
}

}  // namespace tapio::otlp
