// SPDX-License-Identifier: Apache-2.0
// OOM kills, credentials, ptrace and failed execs, from bytes.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "collected.hpp"
#include "enrich/world.hpp"
#include "process_credentials.hpp"
#include "process_observer.hpp"
#include "process_oom.hpp"

namespace tapio::process {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr ProcessId kProcess{100, 50};
constexpr std::uint64_t kStartNs = 50 * kNsPerTick;
constexpr std::uint64_t kChildNamespace = 4026532000;

// The observer with a world that hears its facts, as in the agent.
struct Watched {
  KnownWorld world;
  Collected out{world, [this](const Fact& fact) { world.apply(fact); }};
  ProcessObserver observer{{}};
  std::uint64_t now_ns = 1000;

  Watched() { world.watching(MonotonicTime(1)); }

  template <typename Event>
  Status feed(Event event, std::uint16_t kind, std::uint16_t version) {
    event.header = {.time_ns = now_ns += 1000,
                    .cgroup_id = 7,
                    .tgid = event.header.tgid ? event.header.tgid : kProcess.pid,
                    .tid = kProcess.pid,
                    .size = sizeof(Event),
                    .kind = kind,
                    .version = version,
                    .flags = event.header.flags};
    return observer.on_sample(TRY(wire::open_sample(std::as_bytes(std::span(&event, 1)))), out);
  }

  void start(const tapio_credentials& credentials) {
    tapio_process_fork e{};
    e.header.tgid = 99;
    e.start_ns = kStartNs;
    e.credentials = credentials;
    e.tgid = kProcess.pid;
    e.parent_tgid = 99;
    ASSERT_TRUE(feed(e, TAPIO_PROCESS_FORK, TAPIO_PROCESS_FORK_VERSION));
  }
  void fork_child(const tapio_credentials& credentials, bool own_namespace = false,
                  std::uint32_t caller = kProcess.pid) {
    tapio_process_fork e{};
    e.header.tgid = caller;
    e.start_ns = kStartNs + kNsPerTick;
    e.parent_start_ns = kStartNs;
    e.credentials = credentials;
    e.tgid = 200;
    e.parent_tgid = kProcess.pid;
    e.own_user_namespace = own_namespace;
    ASSERT_TRUE(feed(e, TAPIO_PROCESS_FORK, TAPIO_PROCESS_FORK_VERSION));
  }
  void exec(const tapio_credentials& credentials, std::uint32_t mode = 0100755) {
    tapio_process_exec e{};
    e.start_ns = kStartNs;
    e.credentials = credentials;
    e.file_mode = mode;
    ASSERT_TRUE(feed(e, TAPIO_PROCESS_EXEC, TAPIO_PROCESS_EXEC_VERSION));
  }
  void exit(const tapio_credentials& credentials, std::uint32_t status = 0) {
    tapio_process_exit e{};
    e.start_ns = kStartNs;
    e.credentials = credentials;
    e.status = status;
    ASSERT_TRUE(feed(e, TAPIO_PROCESS_EXIT, TAPIO_PROCESS_EXIT_VERSION));
  }
  void syscall(const tapio_credentials& credentials) {
    tapio_process_credentials e{};
    e.start_ns = kStartNs;
    e.credentials = credentials;
    ASSERT_TRUE(feed(e, TAPIO_PROCESS_CREDENTIALS, TAPIO_PROCESS_CREDENTIALS_VERSION));
  }
  void fail_exec(std::int32_t error) {
    tapio_process_exec_failed e{};
    e.start_ns = kStartNs;
    e.error = error;
    ASSERT_TRUE(feed(e, TAPIO_PROCESS_EXEC_FAILED, TAPIO_PROCESS_EXEC_FAILED_VERSION));
  }

  template <typename Kind>
  [[nodiscard]] std::vector<Kind> facts() const {
    std::vector<Kind> list;
    for (const Fact& fact : out.facts)
      if (const auto* kind = std::get_if<Kind>(&fact)) list.push_back(*kind);
    return list;
  }
  // The one change there is.
  [[nodiscard]] CredentialsChanged change() const {
    const auto list = facts<CredentialsChanged>();
    EXPECT_EQ(list.size(), 1u);
    return list.empty() ? CredentialsChanged{} : list.front();
  }
};

tapio_credentials user(std::uint32_t id, std::uint64_t permitted = 0) {
  return {.uid = id,
          .gid = id,
          .suid = id,
          .sgid = id,
          .euid = id,
          .egid = id,
          .permitted = permitted,
          .effective = permitted,
          .bounding = ~std::uint64_t{0},
          .user_namespace = kInitialUserNamespace};
}

const tapio_credentials kRoot = user(0, 0xff);
const tapio_credentials kUser = user(1000);

TEST(Credentials, that_stay_as_they_are_are_no_news) {
  Watched w;
  w.start(kUser);
  w.fork_child(kUser);
  w.exec(kUser);
  w.syscall(kUser);
  w.exit(kUser);
  EXPECT_TRUE(w.facts<CredentialsChanged>().empty());
  EXPECT_EQ(w.out.filtered, 1u) << "the call is accounted for";
}

TEST(Credentials, of_a_process_that_nobody_knew_are_no_change) {
  Watched w;
  w.syscall(kUser);
  w.exit(kRoot);
  EXPECT_TRUE(w.facts<CredentialsChanged>().empty());
}

TEST(Credentials, that_root_gave_up_are_found_at_the_end) {
  Watched w;
  w.start(kRoot);
  w.exit(kUser);
  const auto change = w.change();
  EXPECT_EQ(change.process, kProcess);
  EXPECT_EQ(change.before.uid, 0u);
  EXPECT_EQ(change.after.uid, 1000u);
  EXPECT_EQ(change.via, CredentialsVia::found);
  EXPECT_FALSE(change.gained);
  EXPECT_EQ(change.cgroup_id, 7u);
}

TEST(Credentials, are_told_before_the_exit_that_showed_them_and_name_their_record) {
  Watched w;
  w.start(kRoot);
  w.exit(kUser);
  ASSERT_EQ(w.out.facts.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<CredentialsChanged>(w.out.facts[1]));
  EXPECT_TRUE(std::holds_alternative<ProcessExited>(w.out.facts[2]));
  const auto& record = w.out.records.at(1);
  EXPECT_EQ(record.schema, &kCredentials);
  EXPECT_EQ(record.id, w.change().evidence);
}

TEST(Credentials, of_a_child_are_what_its_parent_had) {
  Watched w;
  w.start(kRoot);
  w.fork_child(kUser);
  EXPECT_EQ(w.change().process, kProcess);
  EXPECT_EQ(w.change().via, CredentialsVia::found);
  EXPECT_EQ(w.world.process(ProcessId{200, 51})->credentials->uid, 1000u);
}

TEST(Credentials, of_a_child_say_nothing_of_a_parent_that_did_not_fork_it) {
  Watched w;
  w.start(kRoot);
  w.fork_child(kUser, false, 300);
  EXPECT_TRUE(w.facts<CredentialsChanged>().empty());
}

TEST(Credentials, of_a_child_in_a_user_namespace_of_its_own_say_nothing_of_its_parent) {
  Watched w;
  w.start(kUser);
  auto all = user(1000, ~std::uint64_t{0});
  all.user_namespace = kChildNamespace;
  w.fork_child(all, true);
  EXPECT_TRUE(w.facts<CredentialsChanged>().empty());
  EXPECT_TRUE(w.world.process(ProcessId{200, 51})->credentials);
}

TEST(Credentials, of_a_set_user_id_file_are_gained_by_the_exec) {
  Watched w;
  w.start(kUser);
  auto now = kRoot;
  now.uid = now.gid = now.egid = now.sgid = 1000;
  w.exec(now, 0104755);
  EXPECT_EQ(w.change().via, CredentialsVia::exec);
  EXPECT_TRUE(w.change().gained);
  EXPECT_TRUE(w.change().set_id_file);
  EXPECT_EQ(w.out.get<bool>("process.credentials.gained"), true);
  EXPECT_EQ(w.out.get<std::uint64_t>("process.user.id"), 0u);
  EXPECT_EQ(w.out.get<std::uint64_t>("process.before.user.id"), 1000u);
}

TEST(Credentials, of_a_file_with_capabilities_are_gained_by_the_exec) {
  Watched w;
  w.start(kUser);
  w.exec(user(1000, 1 << 13));
  EXPECT_EQ(w.change().via, CredentialsVia::exec);
  EXPECT_TRUE(w.change().gained);
  EXPECT_FALSE(w.change().set_id_file);
}

TEST(Credentials, that_an_exec_cannot_have_changed_were_changed_before) {
  Watched w;
  w.start(kRoot);
  w.exec(kUser);
  EXPECT_EQ(w.change().via, CredentialsVia::found);
}

TEST(Credentials, are_compared_with_the_latest_word) {
  Watched w;
  w.start(kRoot);
  w.syscall(kUser);
  w.syscall(kUser);  // its other threads
  w.exit(kUser);
  EXPECT_EQ(w.change().via, CredentialsVia::syscall);
}

TEST(Credentials, of_a_user_namespace_of_its_own_are_no_gain) {
  Watched w;
  w.start(kUser);
  auto all = user(1000, ~std::uint64_t{0});
  all.user_namespace = kChildNamespace;
  w.syscall(all);
  EXPECT_FALSE(w.change().gained);
  EXPECT_EQ(w.out.get<std::uint64_t>("process.user_namespace"), kChildNamespace);
}

TEST(Credentials, that_could_be_had_again_are_no_gain) {
  Credentials lent = credentials_of(kRoot);
  lent.euid = 1000;  // seteuid(2); back again any time
  EXPECT_FALSE(gained(lent, credentials_of(kRoot)));
  Credentials shed = credentials_of(kRoot);
  shed.effective = 0;
  EXPECT_FALSE(gained(shed, credentials_of(kRoot)));
  EXPECT_TRUE(gained(credentials_of(kUser), credentials_of(kRoot)));
}

TEST(Credentials, from_proc_without_a_namespace_are_compared_by_the_rest) {
  auto from_proc = credentials_of(kUser);
  from_proc.user_namespace = 0;
  EXPECT_FALSE(differ(from_proc, credentials_of(kUser)));
  EXPECT_TRUE(differ(from_proc, credentials_of(kRoot)));
  EXPECT_TRUE(gained(from_proc, credentials_of(user(1000, 1))));
  auto inside = credentials_of(user(1000, 1));
  inside.user_namespace = kChildNamespace;
  EXPECT_FALSE(gained(from_proc, inside));
}

TEST(Credentials, set_group_id_without_execution_is_a_lock_and_no_right) {
  EXPECT_TRUE(is_set_id(04755));
  EXPECT_TRUE(is_set_id(02755));
  EXPECT_FALSE(is_set_id(02745));
  EXPECT_FALSE(is_set_id(0755));
}

TEST(ExecFailed, has_the_error_and_the_file_as_given) {
  Watched w;
  struct {
    tapio_process_exec_failed event{};
    char file[8] = {'/', 'n', 'o', '/', 'f', 'i', 'l', 'e'};
  } bytes;
  bytes.event.start_ns = kStartNs;
  bytes.event.error = ENOENT;
  bytes.event.filename = {sizeof bytes.event, sizeof bytes.file, sizeof bytes.file};
  bytes.event.header = {.time_ns = 5,
                        .tgid = kProcess.pid,
                        .size = sizeof bytes,
                        .kind = TAPIO_PROCESS_EXEC_FAILED,
                        .version = TAPIO_PROCESS_EXEC_FAILED_VERSION};
  const auto sample = wire::open_sample(std::as_bytes(std::span(&bytes, 1)));
  ASSERT_TRUE(sample);
  ASSERT_TRUE(w.observer.on_sample(*sample, w.out));
  EXPECT_EQ(w.out.only<ExecFailed>().error, ENOENT);
  EXPECT_EQ(w.out.only<ExecFailed>().filename, "/no/file");
  EXPECT_EQ(w.out.text("error.type"), "ENOENT");
  EXPECT_FALSE(w.out.known("process.exit.code"));

  bytes.event.filename.offset = sizeof bytes;
  EXPECT_FALSE(w.observer.on_sample(*sample, w.out));
}

TEST(ExecFailed, is_concluded_from_the_exit_of_who_never_executed) {
  for (const std::uint32_t status : {126u, 127u, 203u}) {
    Watched w;
    w.start(kUser);
    w.exit(kUser, status << 8);
    const auto failed = w.facts<ExecFailed>();
    ASSERT_EQ(failed.size(), 1u);
    EXPECT_EQ(failed[0].error, 0);
    EXPECT_EQ(failed[0].status, static_cast<std::int32_t>(status));
    EXPECT_EQ(failed[0].process, kProcess);
    EXPECT_EQ(w.out.records.at(1).schema, &kExecFailed);
  }
}

TEST(ExecFailed, is_not_concluded_from_anything_else) {
  const auto concluded = [](const std::function<void(Watched&)>& story) {
    Watched w;
    story(w);
    return std::ranges::count_if(w.facts<ExecFailed>(),
                                 [](const ExecFailed& fact) { return fact.status != 0; });
  };
  const auto exits_with = [](Watched& w, std::uint32_t status) { w.exit(kUser, status); };
  EXPECT_EQ(concluded([&](Watched& w) { w.start(kUser), exits_with(w, 1 << 8); }), 0);
  EXPECT_EQ(concluded([&](Watched& w) { w.start(kUser), exits_with(w, 127 << 8 | SIGKILL); }), 0);
  EXPECT_EQ(concluded([&](Watched& w) { exits_with(w, 127 << 8); }), 0) << "never seen before";
  EXPECT_EQ(concluded([&](Watched& w) { w.start(kUser), w.exec(kUser), exits_with(w, 127 << 8); }),
            0);
  EXPECT_EQ(
      concluded([&](Watched& w) { w.start(kUser), w.fail_exec(EACCES), exits_with(w, 126 << 8); }),
      0)
      << "the call was seen";
  EXPECT_EQ(concluded([&](Watched& w) {
              w.start(kUser);
              w.world.apply(Lost{.to = MonotonicTime(w.now_ns + 1), .event_class = TAPIO_STATE});
              exits_with(w, 127 << 8);
            }),
            0)
      << "an exec may have been lost";
}

tapio_process_trace trace_event(std::uint32_t request) {
  tapio_process_trace e{};
  e.tracer_start_ns = kStartNs;
  e.target_start_ns = 2 * kStartNs;
  e.tracer_cgroup_id = 7;
  e.target_cgroup_id = 8;
  e.tracer_tgid = kProcess.pid;
  e.target_tgid = 300;
  e.request = request;
  std::memcpy(e.tracer_comm, "gdb", 3);
  std::memcpy(e.target_comm, "victim", 6);
  return e;
}

TEST(Trace, names_both_sides_and_the_border_between_them) {
  Watched w;
  ASSERT_TRUE(
      w.feed(trace_event(TAPIO_REQUEST_ATTACH), TAPIO_PROCESS_TRACE, TAPIO_PROCESS_TRACE_VERSION));
  const auto& fact = w.out.only<Traced>();
  EXPECT_EQ(fact.tracer, kProcess);
  EXPECT_EQ(fact.target, (ProcessId{300, 100}));
  EXPECT_EQ(fact.request, "attach");
  EXPECT_EQ(fact.target_name, "victim");
  EXPECT_EQ(w.out.get<bool>("trace.crosses_cgroup"), true);
  EXPECT_EQ(w.out.records.back().origin.pid, kProcess.pid);
}

TEST(Trace, of_who_asked_for_it_is_the_tracers_record_all_the_same) {
  Watched w;
  auto e = trace_event(TAPIO_REQUEST_TRACEME);
  e.header.tgid = e.target_tgid;
  ASSERT_TRUE(w.feed(e, TAPIO_PROCESS_TRACE, TAPIO_PROCESS_TRACE_VERSION));
  EXPECT_EQ(w.out.records.back().origin.pid, kProcess.pid);
  EXPECT_EQ(w.out.text("trace.request"), "traceme");
}

TEST(Trace, an_unknown_request_is_refused) {
  Watched w;
  EXPECT_FALSE(w.feed(trace_event(3), TAPIO_PROCESS_TRACE, TAPIO_PROCESS_TRACE_VERSION));
  EXPECT_TRUE(w.out.facts.empty());
}

tapio_process_oom oom_event() {
  tapio_process_oom e{};
  e.running_start_ns = 2 * kStartNs;
  std::memcpy(e.running_comm, "hungry", 6);
  auto& v = e.victim;
  v.start_ns = kStartNs;
  v.cgroup_id = 9;
  v.anon_rss = 15 * kMiB;
  v.tgid = 300;
  v.score_adj = -5;
  std::memcpy(v.comm, "java", 4);
  v.level_count = 2;
  v.levels[0] = {.cgroup_id = 21, .usage = 15 * kMiB, .max = kNoLimit, .swap_max = kNoLimit};
  v.levels[1] = {
      .cgroup_id = 20, .usage = 16 * kMiB, .max = 16 * kMiB, .swap_usage = kMiB, .swap_max = 0};
  return e;
}

TEST(Oom, names_victim_and_allocating_process_and_the_level_that_was_full) {
  Watched w;
  ASSERT_TRUE(w.feed(oom_event(), TAPIO_PROCESS_OOM, TAPIO_PROCESS_OOM_VERSION));
  const auto& fact = w.out.only<OomKilled>();
  EXPECT_EQ(fact.victim, (ProcessId{300, 50}));
  EXPECT_EQ(fact.running, (ProcessId{100, 100}));
  EXPECT_EQ(fact.running_name, "hungry");
  EXPECT_EQ(fact.cgroup_id, 9u);
  EXPECT_EQ(w.out.records.back().origin.pid, 300u);
  EXPECT_EQ(w.out.records.back().id, fact.evidence);
  EXPECT_EQ(w.out.get<std::int64_t>("process.oom.score_adj"), -5);
  EXPECT_EQ(w.out.get<std::uint64_t>("process.oom.cgroup.id"), 21u);
  EXPECT_FALSE(w.out.known("process.oom.cgroup.max"));
  EXPECT_EQ(w.out.get<std::uint64_t>("process.oom.limit.cgroup.id"), 20u);
  EXPECT_EQ(w.out.get<std::uint64_t>("process.oom.limit.max"), 16 * kMiB);
  EXPECT_EQ(w.out.get<std::uint64_t>("process.oom.limit.swap"), kMiB);
  EXPECT_THAT(*w.out.get<std::span<const std::string_view>>("process.oom.levels"),
              ElementsAre("cgroup=21 usage=15728640 max=none swap=0 swap_max=none",
                          "cgroup=20 usage=16777216 max=16777216 swap=1048576 swap_max=0"));
}

TEST(Oom, without_levels_is_still_told) {
  Watched w;
  auto e = oom_event();
  e.victim.level_count = 0;
  ASSERT_TRUE(w.feed(e, TAPIO_PROCESS_OOM, TAPIO_PROCESS_OOM_VERSION));
  EXPECT_FALSE(w.out.known("process.oom.cgroup.id"));
  EXPECT_FALSE(w.out.known("process.oom.limit.cgroup.id"));
}

TEST(Oom, more_levels_than_there_is_room_for_are_refused) {
  Watched w;
  auto e = oom_event();
  e.victim.level_count = TAPIO_MEMORY_LEVELS + 1;
  EXPECT_FALSE(w.feed(e, TAPIO_PROCESS_OOM, TAPIO_PROCESS_OOM_VERSION));
}

TEST(Oom, a_machine_that_ran_out_has_no_full_level) {
  const MemoryLevel levels[] = {{.cgroup_id = 1, .usage = kMiB, .max = 16 * kMiB},
                                {.cgroup_id = 2, .usage = 2 * kMiB}};
  EXPECT_FALSE(full_level(levels));
  EXPECT_FALSE(full_level({}));
}

TEST(Oom, the_nearest_to_its_limit_is_full_and_of_equal_ones_the_lowest) {
  MemoryLevel levels[] = {{.cgroup_id = 1, .usage = 63 * kMiB, .max = 64 * kMiB},
                          {.cgroup_id = 2, .usage = 64 * kMiB, .max = 64 * kMiB},
                          {.cgroup_id = 3, .usage = 65 * kMiB, .max = 65 * kMiB}};
  EXPECT_EQ(full_level(levels)->cgroup_id, 2u);
}

TEST(Oom, swap_counts_where_it_is_counted_together_with_memory) {
  const MemoryLevel v1[] = {
      {.usage = kMiB, .max = 2 * kMiB, .swap_usage = 3 * kMiB, .swap_max = 3 * kMiB}};
  EXPECT_TRUE(full_level(v1));
  const MemoryLevel v2_no_swap[] = {{.usage = kMiB, .max = 2 * kMiB, .swap_max = 0}};
  EXPECT_FALSE(full_level(v2_no_swap));
}

}  // namespace
}  // namespace tapio::process
