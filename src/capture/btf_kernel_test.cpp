// SPDX-License-Identifier: Apache-2.0
// Types of the live kernel, and the same with a field moved, as those of another kernel have it.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <span>

#include "capture/kernel.hpp"

namespace tapio::capture {
namespace {

class BtfOnKernel : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loads a program into the kernel: needs root";
    raise_memlock();
    types.reset(btf__parse(btf_places().own.c_str(), nullptr));
    ASSERT_TRUE(types) << "a kernel without BTF";
  }
  void TearDown() override { std::remove(file.c_str()); }

  // In libbpf's own copy.
  void move(std::string_view field, std::uint32_t bits) {
    const int id = btf__find_by_name_kind(types.get(), "task_struct", BTF_KIND_STRUCT);
    ASSERT_GT(id, 0);
    const btf_type* found = btf__type_by_id(types.get(), static_cast<__u32>(id));
    auto& task = const_cast<btf_type&>(*found);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    for (btf_member& member : std::span(btf_members(&task), btf_vlen(&task)))
      if (field == btf__name_by_offset(types.get(), member.name_off)) member.offset += bits;
  }
  Btf found_in_file() {
    std::uint32_t bytes = 0;
    const auto* raw = static_cast<const char*>(btf__raw_data(types.get(), &bytes));
    std::ofstream(file, std::ios::binary).write(raw, bytes);
    return find_btf(file, {.own = "/nowhere", .disk = {}});
  }

  Types types;
  const std::string file = testing::TempDir() + "/tapio-btf-fit-" + std::to_string(::getpid());
};

TEST_F(BtfOnKernel, its_own_types_fit) {
  EXPECT_FALSE(is_of_another_kernel(*types));
  EXPECT_EQ(found_in_file().from, Btf::From::setting);
}

TEST_F(BtfOnKernel, types_with_another_place_for_the_id_of_a_task_do_not) {
  move("tgid", 32);
  EXPECT_TRUE(is_of_another_kernel(*types));
}

TEST_F(BtfOnKernel, types_with_another_place_for_its_name_do_not) {
  move("comm", 64);
  EXPECT_TRUE(is_of_another_kernel(*types));
}

TEST_F(BtfOnKernel, a_file_of_another_kernel_is_not_taken) {
  move("comm", 64);
  const auto btf = found_in_file();
  EXPECT_EQ(btf.from, Btf::From::nowhere);
  EXPECT_THAT(btf.trouble, testing::HasSubstr("btf.path: " + file + ": is of another kernel"));
}

}  // namespace
}  // namespace tapio::capture
