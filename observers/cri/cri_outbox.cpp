// SPDX-License-Identifier: Apache-2.0
#include "cri_outbox.hpp"

#include <utility>

namespace tapio::cri {

void Outbox::expect(const std::string& id, std::size_t how_many) {
  const std::scoped_lock lock(mutex_);
  if (how_many > 1 && expected_.size() < kMaxExpected) expected_[id] = {.left = how_many};
}

bool Outbox::is_final(Unnamed& unnamed) {
  const auto found = expected_.find(unnamed.id);
  if (found == expected_.end()) return true;
  found->second.asked &= unnamed.asked;
  if (--found->second.left > 0) return false;
  unnamed.asked = found->second.asked;
  expected_.erase(found);
  return true;
}

void Outbox::put(Told told) {
  const std::scoped_lock lock(mutex_);
  if (auto* unnamed = std::get_if<Unnamed>(&told)) {
    if (!is_final(*unnamed)) return;
    counts_.unknown += unnamed->asked;
  } else if (const auto* described = std::get_if<Described>(&told)) {
    expected_.erase(described->id);
  }
  counted_ = true;
  if (told_.size() < kMaxTold)
    told_.push_back(std::move(told));
  else
    counts_.dropped++;
}

std::vector<Told> Outbox::take() {
  const std::scoped_lock lock(mutex_);
  auto all = std::exchange(told_, {});
  if (std::exchange(counted_, false)) all.emplace_back(counts_);
  return all;
}

void Outbox::count(std::uint64_t Counts::* what, std::uint64_t more) {
  const std::scoped_lock lock(mutex_);
  counts_.*what += more;
  counted_ |= more > 0;
}

}  // namespace tapio::cri
