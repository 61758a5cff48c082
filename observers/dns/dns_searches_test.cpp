// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "collected.hpp"
#include "dns_conversation.hpp"
#include "dns_schemas.hpp"

namespace tapio::dns {
namespace {

using DnsTest = Conversation<Collected>;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SearchesTest : public DnsTest {
 protected:
  static constexpr auto kNothing = std::uint64_t(-1);

  // Asked for, and answered a millisecond later. What the record says of its place.
  std::uint64_t missing(MonotonicTime at, std::string_view name, std::uint16_t type = kA,
                        std::uint16_t rcode = kNxDomain) {
    const auto id = next_++;
    asks_for(at, id, name, type);
    answers(at + 1ms, Wire::answer(id, name, type, rcode), kReceived);
    return index();
  }
  std::uint64_t exists(MonotonicTime at, std::string_view name, std::uint32_t pid = 100) {
    const auto id = next_++;
    asks(at, id, name, {.pid = pid});
    answers(at + 1ms, with_address(id, name), kReceived);
    return index();
  }
  // Of the latest lookup; findings come behind it.
  std::uint64_t index() {
    while (out_.records.back().schema->kind == Kind::finding) {
      found_.push_back(out_.records.back());
      out_.records.pop_back();
    }
    return out_.get<std::uint64_t>("dns.search.index").value_or(kNothing);
  }
  // As a resolver library with a search list does it.
  void search(MonotonicTime at, std::string_view name, const std::vector<std::string>& list) {
    for (const auto& behind : list) {
      missing(at, std::string(name) + '.' + behind);
      at += 2ms;
    }
    exists(at, name);
  }

  std::uint16_t next_ = 1;
  std::vector<Record> found_;
};

const std::vector<std::string> kCluster = {"default.svc.cluster.local", "svc.cluster.local",
                                           "cluster.local"};

TEST_F(SearchesTest, names_that_are_tried_one_after_the_other_are_numbered) {
  EXPECT_EQ(missing(0ms, "api.example.com.default.svc.cluster.local"), 0u);
  EXPECT_EQ(missing(2ms, "api.example.com.svc.cluster.local"), 1u);
  EXPECT_EQ(missing(4ms, "API.example.com.cluster.local"), 2u);
  EXPECT_EQ(exists(6ms, "api.example.com"), 3u);
  EXPECT_EQ(exists(8ms, "api.example.com"), 0u) << "asked for again, this time first";
}

TEST_F(SearchesTest, the_name_as_it_was_given_may_come_first) {
  EXPECT_EQ(missing(0ms, "db.web"), 0u);
  EXPECT_EQ(missing(2ms, "db.web.corp.example"), 1u);
  EXPECT_EQ(exists(4ms, "db.web.lab.example"), 2u);
}

TEST_F(SearchesTest, both_kinds_of_address_are_one_step) {
  for (const auto* name : {"api.default.svc.cluster.local", "api.svc.cluster.local"}) {
    const auto at = std::string_view(name).contains("default") ? 0ms : 10ms;
    asks_for(at, next_, name, kA);
    asks_for(at, next_ + 1, name, kAaaa);
    answers(at + 2ms, Wire::answer(next_ + 1, name, kAaaa, kNxDomain), kReceived);
    EXPECT_EQ(index(), at / 10ms);
    answers(at + 3ms, Wire::answer(next_, name, kA), kReceived);  // there is none of this type
    EXPECT_EQ(index(), at / 10ms);
    next_ += 2;
  }
  EXPECT_EQ(exists(14ms, "api.cluster.local"), 2u);
}

TEST_F(SearchesTest, a_name_with_one_kind_of_address_alone_exists) {
  EXPECT_EQ(exists(0ms, "db.example.com"), 0u);
  EXPECT_EQ(missing(2ms, "db.example.com", kAaaa, kNoError), 0u);
  EXPECT_EQ(exists(4ms, "db.example.net"), 0u);
}

TEST_F(SearchesTest, what_is_asked_for_at_once_or_much_later_is_no_search) {
  asks(0ms, 500, "www.b.example");
  EXPECT_EQ(missing(0ms, "www.a.example"), 0u);
  answers(5ms, with_address(500, "www.b.example"), kReceived);
  EXPECT_EQ(index(), 0u);
  EXPECT_EQ(missing(1s, "www.c.example"), 0u);
  EXPECT_EQ(exists(1s + 1ms + Searches::kStep, "www.d.example"), 1u) << "just in time";
  EXPECT_EQ(missing(2s, "www.c.example"), 0u);
  EXPECT_EQ(exists(2s + 1ms + Searches::kStep + 1ns, "www.d.example"), 0u);
}

TEST_F(SearchesTest, a_failure_of_another_kind_ends_it) {
  EXPECT_EQ(missing(0ms, "www.a.example"), 0u);
  EXPECT_EQ(missing(2ms, "www.b.example", kA, kServFail), 1u);
  EXPECT_EQ(exists(4ms, "www.c.example"), 0u);
}

TEST_F(SearchesTest, what_nobody_searches_for_has_no_place) {
  EXPECT_EQ(missing(0ms, "example.com", kMx), kNothing);
  EXPECT_EQ(missing(2ms, "4.3.2.1.list.example"), kNothing) << "an address turned round";
  EXPECT_EQ(missing(4ms, "a b.example"), kNothing) << "odd bytes";
}

TEST_F(SearchesTest, searches_at_once_are_told_apart_by_what_they_have_in_common) {
  asks(0ms, 501, "api.foo.example.cluster.local");
  asks(0ms, 502, "api.bar.example.cluster.local");
  answers(1ms, Wire::answer(501, "api.foo.example.cluster.local", kA, kNxDomain), kReceived);
  answers(1ms, Wire::answer(502, "api.bar.example.cluster.local", kA, kNxDomain), kReceived);
  EXPECT_EQ(exists(2ms, "api.foo.example"), 1u);
  EXPECT_EQ(exists(3ms, "api.bar.example"), 1u);
  EXPECT_EQ(exists(4ms, "api.foo.example.test", 101), 0u) << "another process";
}

TEST_F(SearchesTest, a_process_that_searches_long_each_time_is_found) {
  for (int i = 0; i < 9; ++i) search(i * 1s, "api" + std::to_string(i) + ".example.com", kCluster);
  EXPECT_THAT(found_, IsEmpty());
  search(9s, "www.example.com", kCluster);
  ASSERT_THAT(found_, SizeIs(1));
  EXPECT_EQ(found_[0].schema, &kSearchAmplification);
  out_.records.push_back(found_[0]);
  EXPECT_EQ(out_.text("finding.detail"),
            "default.svc.cluster.local svc.cluster.local cluster.local");
  EXPECT_THAT(out_.text("summary"), HasSubstr("asked for 3 names that do not exist before one did, "
                                              "10 times within 9.0 s, the latest being "
                                              "www.example.com"));
  EXPECT_THAT(out_.text("suggestion"), HasSubstr("trailing dot"));
}

TEST_F(SearchesTest, short_searches_are_ordinary) {
  for (int i = 0; i < 30; ++i)
    search(i * 1s, "web.other.svc.cluster.local", {"default.svc.example"});
  EXPECT_THAT(found_, IsEmpty());
}

TEST_F(SearchesTest, names_that_only_begin_alike_are_no_search_list) {
  for (int i = 0; i < 30; ++i) {
    const auto n = std::to_string(i);
    search(i * 1s, "www", {"a" + n + ".example", "b" + n + ".example", "c" + n + ".example"});
  }
  EXPECT_THAT(found_, IsEmpty());
}

TEST_F(SearchesTest, searches_are_bounded_whatever_is_asked) {
  for (int i = 0; i < 20; ++i) missing(i * 2ms, "www.n" + std::to_string(i) + ".example");
  EXPECT_EQ(exists(40ms, "www"), 20u) << "names beyond those that are kept count";
  for (std::size_t i = 0; i < Searches::kMaxStarts; ++i)
    missing(1s, "host" + std::to_string(i) + ".example");
  EXPECT_EQ(exists(1s + 2ms, "host0.test"), 1u);
  missing(1s, "other.example");
  EXPECT_EQ(exists(1s + 2ms, "host1.test"), 0u) << "forgotten";
}

}  // namespace
}  // namespace tapio::dns
