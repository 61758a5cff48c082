// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "cri_told.hpp"

namespace tapio::cri {

// What runtimes said and nobody has fetched yet. Many threads put, one takes.
class Outbox {
 public:
  static constexpr std::size_t kMaxTold = 20'000;     // what comes beyond is dropped, and counted
  static constexpr std::size_t kMaxExpected = 4'096;  // of those, the answer of one is enough

  // So many will say whether they know it: who does is believed, and if nobody does, the last one.
  void expect(const std::string& id, std::size_t how_many);
  void put(Told told);
  [[nodiscard]] std::vector<Told> take();
  // Adds to what take() says of counts.
  void count(std::uint64_t Counts::* what, std::uint64_t more = 1);

 private:
  struct Expected {
    std::size_t left = 0;
    bool asked = true;
  };
  // False: it is not the last word.
  bool is_final(Unnamed& unnamed);

  std::mutex mutex_;
  std::vector<Told> told_;
  std::unordered_map<std::string, Expected> expected_;
  Counts counts_;
  bool counted_ = false;
};

}  // namespace tapio::cri
