// SPDX-License-Identifier: Apache-2.0
#include "facts/place.hpp"

#include <gtest/gtest.h>

#include "empty_world.hpp"

namespace tapio {
namespace {

class OnePlace final : public EmptyWorld {
 public:
  [[nodiscard]] const Cgroup* cgroup(std::uint64_t id) const override {
    return id == known.id ? &known : nullptr;
  }
  [[nodiscard]] const Container* container(std::string_view id) const override {
    return id == named.id ? &named : nullptr;
  }
  Cgroup known{.id = 7};
  Container named;
};

TEST(Places, go_by_what_people_call_them) {
  OnePlace world;
  EXPECT_EQ(place_in_words(8, world), "cgroup 8");
  EXPECT_EQ(place_in_words(7, world), "cgroup 7") << "its path is not known";
  world.known.path = "/x";
  EXPECT_EQ(place_in_words(7, world), "cgroup /x");
  world.known.unit = "user@1000.service";
  EXPECT_EQ(place_in_words(7, world), "unit user@1000.service");
  world.known.user_unit = "app.service";
  EXPECT_EQ(place_in_words(7, world), "unit app.service");
  const std::string id(64, 'a');
  world.known.container_id = id;
  EXPECT_EQ(place_in_words(7, world), "container aaaaaaaaaaaa");
  world.named.id = id;
  EXPECT_EQ(place_in_words(7, world), "container aaaaaaaaaaaa") << "it has no name";
  world.named.name = "web";
  EXPECT_EQ(place_in_words(7, world), "container web (aaaaaaaaaaaa)");
}

}  // namespace
}  // namespace tapio
