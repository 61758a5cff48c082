// SPDX-License-Identifier: Apache-2.0
#include "agent/privileges.hpp"

#include <gmock/gmock.h>
#include <linux/capability.h>

namespace tapio::agent {
namespace {

constexpr std::uint64_t bit(int capability) {
  return std::uint64_t{1} << capability;
}

TEST(Privileges, name_exactly_what_is_missing) {
  using testing::ElementsAre;
  using testing::IsEmpty;
  EXPECT_THAT(missing_capabilities(0), ElementsAre("CAP_BPF", "CAP_PERFMON"));
  EXPECT_THAT(missing_capabilities(bit(CAP_BPF)), ElementsAre("CAP_PERFMON"));
  EXPECT_THAT(missing_capabilities(bit(CAP_BPF) | bit(CAP_PERFMON)), IsEmpty());
  EXPECT_THAT(missing_capabilities(bit(CAP_SYS_ADMIN)), IsEmpty());
}

}  // namespace
}  // namespace tapio::agent
