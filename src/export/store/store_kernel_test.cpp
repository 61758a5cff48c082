// SPDX-License-Identifier: Apache-2.0
// A disk that is full or read-only, for which a small file system is mounted in a mount namespace
// of this process alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "store_reader.hpp"
#include "store_sink.hpp"

namespace tapio::store {
namespace {

constexpr SchemaOf kEvent{"test.event", Kind::event, "", Field{"test.text", Type::text, ""}};

std::unique_ptr<Batch> batch(std::uint64_t first, std::size_t records) {
  auto out = std::make_unique<Batch>();
  const std::string text(500, 'x');
  for (std::size_t i = 0; i < records; ++i) {
    out->records.push_back(kEvent({.time = std::chrono::hours(1)}, out->arena.keep(text)));
    out->records.back().id = {1, first + i};
  }
  return out;
}

class SmallDisk : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "disk_XXXXXX";
    dir_ = ::mkdtemp(name.data());
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0)
      GTEST_SKIP() << "mounts a file system: needs root";
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("tapio-test", dir_.c_str(), "tmpfs", 0, "size=4m,mode=0700"), 0);
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) ::umount2(dir_.c_str(), MNT_DETACH);
    std::filesystem::remove_all(dir_);
  }
  std::uint64_t kept() const {
    const auto reader = Reader::open(dir_ + "/tapio.db");
    if (!reader) return 0;
    const auto rows = reader->query("SELECT count(*) FROM records", {}, {});
    return rows ? static_cast<std::uint64_t>(std::get<std::int64_t>(rows->rows[0][0])) : 0;
  }

  std::string dir_;
  bool mounted_ = false;
};

TEST_F(SmallDisk, that_is_full_is_waited_for_and_loses_nothing_that_was_taken) {
  StoreSink sink({.path = dir_ + "/tapio.db"});
  std::uint64_t taken = 0;
  Status status;
  for (; taken < 100'000 && status; taken += status ? 200 : 0)
    status = sink.write(*batch(taken, 200));
  ASSERT_FALSE(status) << "4 MiB hold so much?";
  EXPECT_EQ(status.error().fault, Fault::unavailable) << status.error().what;
  EXPECT_FALSE(sink.write(*batch(taken, 200)));
  ASSERT_EQ(::mount("tapio-test", dir_.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
  const Status again = sink.write(*batch(taken, 200));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(kept(), taken + 200);
}

TEST_F(SmallDisk, that_becomes_read_only_is_waited_for) {
  const std::string path = dir_ + "/tapio.db";
  {
    StoreSink sink({.path = path});
    ASSERT_TRUE(sink.write(*batch(0, 10)));
  }
  ASSERT_EQ(::mount("tapio-test", dir_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=4m"), 0);
  StoreSink sink({.path = path});
  const Status refused = sink.write(*batch(10, 10));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::unavailable) << refused.error().what;
  EXPECT_EQ(kept(), 10u) << "it can be read all the same";
  ASSERT_EQ(::mount("tapio-test", dir_.c_str(), "tmpfs", MS_REMOUNT, "size=4m"), 0);
  EXPECT_TRUE(sink.write(*batch(10, 10)));
  EXPECT_EQ(kept(), 20u);
}

}  // namespace
}  // namespace tapio::store
