// SPDX-License-Identifier: Apache-2.0
#include "cri_observer.hpp"

#include <gmock/gmock.h>

#include "collected.hpp"
#include "enrich/world.hpp"

namespace tapio::cri {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const std::string kOne(64, '1'), kTwo(64, '2');

// Runtimes that say what they are told to.
class Scripted final : public Runtimes {
 public:
  struct Asked {
    std::string id;
    bool awaited, patient;
    bool operator==(const Asked&) const = default;
  };
  struct Script {
    std::vector<Told> says;
    std::vector<Asked> asked;
    unsigned taken = 0;
  };
  explicit Scripted(Script& script) : script_(script) {}
  void look_up(const std::string& id, std::string_view, bool awaited, bool patient) override {
    script_.asked.push_back({id, awaited, patient});
  }
  std::string take() override {
    script_.taken++;
    return packed(std::exchange(script_.says, {}));
  }

 private:
  Script& script_;
};

class CriObservers : public testing::Test {
 protected:
  explicit CriObservers(Config config = {})
      : observer_(config, std::make_unique<Scripted>(script_), live_outside(), {}) {}

  void connect(const char* name = "containerd") {
    script_.says.emplace_back(RuntimeState{
        .socket = std::string("/run/") + name, .name = name, .is = RuntimeState::Is::connected});
    observer_.on_tick(1s, out_);
  }
  void tell(Told told) {
    script_.says.push_back(std::move(told));
    observer_.on_tick(2s, out_);
  }
  // A cgroup as containerd makes them; in a pod.
  void create(const std::string& id, MonotonicTime at, RecordId evidence = {1, 1},
              const std::string& above = "/kubepods/besteffort/pod" + std::string(kUid)) {
    const CgroupCreated created{.time = at,
                                .evidence = evidence,
                                .cgroup_id = ++cgroups_,
                                .path = out_.arena().keep(above + "/" + id)};
    world_.apply(Fact(created));
    observer_.on_fact(Fact(created), out_);
  }
  [[nodiscard]] static Described described(const std::string& id) {
    return {.time = 2s,
            .id = id,
            .runtime = "containerd",
            .name = "nginx",
            .image = "nginx:1",
            .pod = {"web", "shop", kUid},
            .state = ContainerState::running};
  }
  template <typename Kind>
  [[nodiscard]] std::size_t facts() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        out_.facts, [](const Fact& fact) { return std::holds_alternative<Kind>(fact); }));
  }
  [[nodiscard]] std::size_t records(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        out_.records, [name](const Record& record) { return record.schema->name == name; }));
  }
  [[nodiscard]] std::uint64_t counter(std::string_view name) const {
    for (const auto& [each, value] : observer_.counters())
      if (each == name) return value;
    return 1'000'000;
  }

  static constexpr const char* kUid = "11111111-2222-3333-4444-555555555555";
  KnownWorld world_;
  Scripted::Script script_;
  CriObserver observer_;
  Collected out_{world_, [this](const Fact& fact) { world_.apply(fact); }};
  std::uint64_t cgroups_ = 100;
};

TEST_F(CriObservers, ask_for_a_new_container_and_say_that_it_is_awaited) {
  connect();
  create(kOne, 5s);
  EXPECT_THAT(script_.asked, ElementsAre(Scripted::Asked{kOne, true, true}));
  const auto& awaited = out_.only<ContainerAwaited>();
  EXPECT_EQ(awaited.id, kOne);
  EXPECT_EQ(awaited.until, 5s + Config{}.wait);
  script_.says.emplace_back(described(kOne));
  observer_.on_advance(5s + 20ms, out_);
  const auto& fact = out_.only<ContainerDescribed>();
  EXPECT_EQ(fact.id, kOne);
  EXPECT_EQ(fact.name, "nginx");
  EXPECT_EQ(fact.pod_namespace, "shop");
  EXPECT_EQ(out_.text("container.name"), "nginx");
  EXPECT_EQ(out_.text("cri.state"), "running");
  EXPECT_EQ(fact.evidence, out_.records.back().id);
}

TEST_F(CriObservers, need_not_ask_for_one_that_its_runtime_has_told_of) {
  connect();
  script_.says.emplace_back(described(kOne));
  create(kOne, 5s);
  EXPECT_TRUE(script_.asked.empty());
  EXPECT_EQ(facts<ContainerDescribed>(), 1u);
  EXPECT_EQ(facts<ContainerAwaited>(), 0u);
}

TEST_F(CriObservers, find_the_pod_by_the_cgroup_when_the_runtime_has_not_said_it) {
  connect();
  auto pause = described(kTwo);
  pause.sandbox = true;
  tell(pause);
  auto bare = described(kOne);
  bare.pod = {};
  tell(bare);  // before its cgroup is known
  EXPECT_EQ(out_.only<ContainerDescribed>().pod_name, "");
  create(kOne, 5s);
  EXPECT_EQ(out_.only<ContainerDescribed>().pod_name, "web");
  EXPECT_EQ(out_.only<ContainerDescribed>().pod_namespace, "shop");
  tell(bare);  // and after
  EXPECT_EQ(out_.only<ContainerDescribed>().pod_name, "web");
}

TEST_F(CriObservers, ask_once_for_a_container_with_many_cgroups) {
  connect();
  create(kOne, 5s);
  create(kOne + "/init.scope", 5s);
  EXPECT_EQ(script_.asked.size(), 1u);
}

TEST_F(CriObservers, ask_nobody_when_nobody_could_know) {
  create(kOne, 5s);
  connect("docker");
  create(kTwo, 6s, {1, 1}, "/system.slice/libpod-" + kTwo + ".scope");
  EXPECT_TRUE(script_.asked.empty());
  EXPECT_EQ(facts<ContainerAwaited>(), 0u);
}

TEST_F(CriObservers, wait_for_no_container_that_was_found_on_a_walk) {
  connect();
  create(kOne, 5s, RecordId{});
  EXPECT_THAT(script_.asked, ElementsAre(Scripted::Asked{kOne, false, true}));
  EXPECT_EQ(facts<ContainerAwaited>(), 0u);
}

TEST_F(CriObservers, wait_no_longer_than_they_may_and_then_for_nobody_until_there_is_an_answer) {
  connect();
  create(kOne, 5s);
  observer_.on_advance(5s + 249ms, out_);
  EXPECT_EQ(facts<ContainerUnnamed>(), 0u);
  observer_.on_advance(5s + 250ms, out_);
  EXPECT_EQ(facts<ContainerUnnamed>(), 1u);
  EXPECT_EQ(counter("timeouts"), 1u);
  create(kTwo, 6s);
  EXPECT_EQ(facts<ContainerAwaited>(), 1u);
  EXPECT_FALSE(script_.asked.back().awaited);
  EXPECT_EQ(counter("not_awaited"), 1u);
  tell(described(kOne));  // late, and good to know
  create(std::string(64, '3'), 7s);
  EXPECT_EQ(facts<ContainerAwaited>(), 2u);
}

TEST_F(CriObservers, say_that_nobody_knows_it) {
  connect();
  create(kOne, 5s);
  script_.says.emplace_back(Unnamed{.id = kOne, .asked = true});
  observer_.on_advance(5s + 20ms, out_);
  EXPECT_EQ(facts<ContainerUnnamed>(), 1u);
  create(kOne + "/inner", 6s);
  EXPECT_EQ(script_.asked.size(), 1u);  // nobody is asked twice
}

TEST_F(CriObservers, ask_how_one_ended_whose_cgroup_is_gone) {
  connect();
  create(kOne, 5s);
  tell(described(kOne));
  const CgroupRemoved removed{.time = 9s, .cgroup_id = cgroups_};
  observer_.on_fact(Fact(removed), out_);
  EXPECT_EQ(script_.asked.size(), 2u);
  EXPECT_FALSE(script_.asked.back().awaited);
  auto ended = described(kOne);
  ended.state = ContainerState::exited;
  ended.exit_code = 137;
  ended.exit_reason = "OOMKilled";
  tell(ended);
  EXPECT_EQ(out_.text("cri.state"), "exited");
  EXPECT_EQ(out_.text("cri.state.before"), "running");
  EXPECT_EQ(out_.get<std::int64_t>("cri.exit.code"), 137);
  EXPECT_EQ(out_.text("cri.exit.reason"), "OOMKilled");
  observer_.on_fact(Fact(removed), out_);
  EXPECT_EQ(script_.asked.size(), 2u);  // that is known now
}

TEST_F(CriObservers, tell_each_state_once) {
  connect();
  for (int i = 0; i < 3; ++i) tell(described(kOne));
  EXPECT_EQ(records("cri.container"), 1u);
  EXPECT_EQ(facts<ContainerDescribed>(), 3u);
  tell(Removed{.time = 3s, .id = kOne});
  tell(Removed{.time = 3s, .id = kOne});
  EXPECT_EQ(records("cri.container"), 2u);
  EXPECT_EQ(out_.text("cri.state"), "removed");
  EXPECT_EQ(out_.text("container.name"), "nginx");
}

TEST_F(CriObservers, say_again_what_others_would_forget) {
  connect();
  tell(described(kOne));
  const auto evidence = out_.only<ContainerDescribed>().evidence;
  observer_.on_tick(3min, out_);
  EXPECT_EQ(facts<ContainerDescribed>(), 1u);
  observer_.on_tick(5min, out_);
  observer_.on_tick(5min + 1s, out_);
  EXPECT_EQ(facts<ContainerDescribed>(), 2u);
  EXPECT_EQ(out_.only<ContainerDescribed>().evidence, evidence);
  EXPECT_EQ(out_.only<ContainerDescribed>().time, 5min);
  EXPECT_EQ(records("cri.container"), 1u);
  tell(Removed{.time = 5min, .id = kOne});
  observer_.on_tick(20min, out_);
  EXPECT_EQ(facts<ContainerDescribed>(), 2u);
}

TEST_F(CriObservers, look_outside_only_while_something_is_awaited) {
  connect();
  const unsigned before = script_.taken;
  for (int i = 0; i < 50; ++i) observer_.on_advance(3s + i * 20ms, out_);
  EXPECT_EQ(script_.taken, before);
}

TEST_F(CriObservers, wait_for_a_bounded_number_of_containers) {
  connect();
  for (std::size_t i = 0; i < CriObserver::kMaxAwaited + 10; ++i) {
    std::string id = std::to_string(i);
    create(std::string(64 - id.size(), '0') + id, 5s);
  }
  EXPECT_EQ(facts<ContainerAwaited>(), CriObserver::kMaxAwaited);
  EXPECT_EQ(counter("not_awaited"), 10u);
}

TEST_F(CriObservers, tell_when_a_runtime_goes_and_comes) {
  connect();
  tell(RuntimeState{.socket = "/run/containerd",
                    .name = "containerd",
                    .is = RuntimeState::Is::denied,
                    .reason = "not permitted"});
  EXPECT_EQ(out_.text("cri.runtime.state"), "denied");
  EXPECT_EQ(counter("denied"), 1u);
  EXPECT_EQ(counter("runtimes"), 0u);
  create(kOne, 5s);
  EXPECT_TRUE(script_.asked.empty());
  connect();
  EXPECT_EQ(records("cri.runtime"), 3u);
}

class WithOwnTaste : public CriObservers {
 protected:
  WithOwnTaste() : CriObservers({.wait = 0ms, .skip_namespaces = {"shop"}}) {}
};

TEST_F(WithOwnTaste, containers_of_a_namespace_have_names_and_no_records) {
  connect();
  tell(described(kOne));
  auto pause = described(kTwo);
  pause.sandbox = true;
  pause.pod.space = "other";
  tell(pause);
  EXPECT_EQ(records("cri.container"), 0u);
  EXPECT_EQ(facts<ContainerDescribed>(), 2u);
  create(std::string(64, '3'), 5s);
  EXPECT_EQ(facts<ContainerAwaited>(), 0u);
  EXPECT_FALSE(script_.asked.back().awaited);
}

TEST(CriObserverInAReplay, works_without_runtimes) {
  Collected out;
  CriObserver observer({}, nullptr, live_outside(), {});
  observer.on_tick(1s, out);
  EXPECT_TRUE(out.records.empty());
  EXPECT_FALSE(observer.remark());
}

TEST(CriRemarks, say_that_there_is_no_runtime_and_that_it_is_no_failure) {
  CriObserver observer({}, nullptr, live_outside(),
                       packed({RuntimeState{.is = RuntimeState::Is::absent}}));
  const auto remark = observer.remark();
  ASSERT_TRUE(remark);
  EXPECT_FALSE(remark->degraded);
  EXPECT_THAT(remark->text, testing::HasSubstr("no container runtime found"));
  Collected out;
  observer.on_tick(1s, out);
  EXPECT_TRUE(out.records.empty());
}

TEST(CriRemarks, say_what_may_not_be_asked) {
  CriObserver observer({}, nullptr, live_outside(),
                       packed({RuntimeState{.socket = "/run/docker.sock",
                                            .is = RuntimeState::Is::denied,
                                            .reason = "not permitted"}}));
  const auto remark = observer.remark();
  ASSERT_TRUE(remark);
  EXPECT_TRUE(remark->degraded);
  EXPECT_THAT(remark->text, testing::HasSubstr("/run/docker.sock is denied: not permitted"));
  Collected out;
  observer.on_tick(1s, out);
  EXPECT_EQ(out.text("cri.runtime.state"), "denied");
}

}  // namespace
}  // namespace tapio::cri
