// SPDX-License-Identifier: Apache-2.0
// The agent over HTTP, on the live kernel, asked by curl, judged by promtool, scraped by
// Prometheus.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <future>

#include "agent/configuration.hpp"
#include "agent/node.hpp"
#include "base/log.hpp"
#include "rig.hpp"
#include "serve/http_address.hpp"
#include "serve/json.hpp"
#include "temporary.hpp"

namespace tapio::agent {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// Others on this machine may test too: a signal that is hardly theirs.
const int kHarmless = SIGRTMIN + 10 + static_cast<int>(::getpid() % 15);

bool is_there(const std::string& program) {
  return std::system(fmt::format("command -v {} >/dev/null", program).c_str()) == 0;
}

// What a command prints, and how it ends.
struct Done {
  std::string out;
  int status = 0;
};
Done shell(const std::string& command) {
  Done done;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "re");
  std::array<char, 4096> part;
  while (const auto got = std::fread(part.data(), 1, part.size(), pipe))
    done.out.append(part.data(), got);
  done.status = ::pclose(pipe);
  return done;
}

// Prometheus itself, on a port of its own, for as long as it lives. What it says goes to `log`.
class Prometheus {
 public:
  Prometheus(const Temporary& directory, const std::string& target, const std::string& token)
      : log_(directory.file("prometheus.log")) {
    const auto file = directory.file("prometheus.yaml"), data = directory.file("prometheus");
    std::ofstream(file) << fmt::format(
        "global: {{scrape_interval: 1s}}\n"
        "scrape_configs:\n"
        "  - job_name: tapio\n"
        "    static_configs: [{{targets: [\"{}\"]}}]\n"
        "    authorization: {{credentials_file: {}}}\n",
        target, token);
    pid_ = child([&] {
      const Fd out(::open(log_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
      ::dup2(out.get(), STDERR_FILENO);
      ::execlp("prometheus", "prometheus", ("--config.file=" + file).c_str(),
               ("--storage.tsdb.path=" + data).c_str(), "--web.listen-address=127.0.0.1:0",
               nullptr);
      return 127;
    });
  }
  ~Prometheus() {
    ::kill(pid_, SIGTERM);
    wait_for(pid_);
  }
  Prometheus(const Prometheus&) = delete;
  Prometheus& operator=(const Prometheus&) = delete;

  // Of one instant query, as JSON; "": it does not listen yet.
  [[nodiscard]] std::string answer(const std::string& query) const {
    const auto listens =
        shell(fmt::format("grep -o 'Listening on. address=[0-9.:]*' {} | cut -d= -f2", log_)).out;
    if (listens.empty()) return "";
    return shell(fmt::format("curl -sS --max-time 5 --data-urlencode 'query={}' "
                             "http://{}/api/v1/query",
                             query, listens.substr(0, listens.find('\n'))))
        .out;
  }
  [[nodiscard]] std::string log() const { return shell("tail -n 20 " + log_).out; }

 private:
  std::string log_;
  pid_t pid_ = -1;
};

class NodeOverHttp : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loads programs into the kernel: needs root";
    if (!is_there("curl")) GTEST_SKIP() << "curl is not here to ask";
    log::configure(log::Level::error, log::Format::text);
    set("http", "enabled", "true");
    set("http", "listen", "127.0.0.1:0");
    set("observers.process", "signals", fmt::format("{}", kHarmless));
    set("observers.process", "deliveries", "false");
    set("observers.process", "rate_per_second", "0");
    set("observers.process", "ring", "16MiB");
  }
  void TearDown() override {
    node_.reset();
    log::configure(log::Level::info, log::Format::text);
  }
  void set(std::string_view section, std::string_view setting, const std::string& value) {
    const std::vector<std::string> values{value};
    Rig::must(configuration_.at(section).set(setting, values));
  }
  void start() {
    node_ = Rig::must(Node::start(
        {.configuration = configuration_,
         .socket = directory_.file("sock"),
         .configured_sinks = false,
         .canary_song = {"/bin/sh", "-c", "kill -9 $$"},
         .file = "test.yaml",
         .reread = [this]() -> std::expected<cli::Configured, std::vector<std::string>> {
           return cli::Configured{configuration_.clone(), "test.yaml"};
         }}));
    address_ = status()["http"]["address"].text();
  }
  serve::Json status() { return Rig::must(serve::parse_json(node_->status_json())); }
  // The node goes on while `ask` runs beside it.
  template <typename Ask>
  auto meanwhile(Ask ask) {
    auto answer = std::async(std::launch::async, std::move(ask));
    node_->run([&] { return answer.wait_for(0s) == std::future_status::ready; });
    return answer.get();
  }
  std::string get(const std::string& target, const std::string& options = "") {
    return meanwhile([&] { return curl(target, options).out; });
  }
  [[nodiscard]] Done curl(const std::string& target, const std::string& options) const {
    return shell(fmt::format("curl -sS --max-time 20 {} 'http://{}{}'", options, address_, target));
  }
  serve::Json json(const std::string& target) { return Rig::must(serve::parse_json(get(target))); }
  // A client that says this, and then nothing, and reads nothing.
  [[nodiscard]] Fd silent(std::string_view request) const {
    const auto to = Rig::must(serve::parse_address(address_));
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&to.storage));
    EXPECT_EQ(::connect(socket.get(), generic, to.bytes), 0);
    EXPECT_EQ(::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL),
              std::ssize(request));
    return socket;
  }
  void wait_until_ready() {
    for (int i = 0; i < 100 && !get("/readyz").starts_with("ok"); ++i)
      meanwhile([] { return ::usleep(100'000); });
  }

  Temporary directory_;
  config::Tree configuration_ = configuration();
  std::string address_;
  std::unique_ptr<Node> node_;
};

TEST_F(NodeOverHttp, curl_reads_why_a_process_was_killed) {
  start();
  wait_until_ready();
  const pid_t victim = child([] { return ::pause(); });
  ::kill(victim, SIGKILL);
  wait_for(victim);
  const auto id = fmt::format("\"process.pid\":{}", victim);
  std::string stories;
  for (int i = 0; i < 100 && !stories.contains(id); ++i) {
    meanwhile([] { return ::usleep(100'000); });
    stories = get("/api/v1/stories?limit=1000&since=1m");
  }
  EXPECT_THAT(stories, HasSubstr(id));
  const auto deaths = json("/api/v1/records?name=process.exit&limit=1000");
  EXPECT_TRUE(std::ranges::any_of(deaths["records"].items(), [&](const serve::Json& record) {
    return record["process.pid"].integer() == victim;
  }));
  EXPECT_EQ(get("/readyz"), "ok\n");
}

TEST_F(NodeOverHttp, who_lives_is_listed_with_his_parent_and_his_place) {
  start();
  wait_until_ready();
  // The agent, which this process is, hears nothing of what it does itself: it is the child's exec.
  const pid_t one = child([] { return ::execlp("sleep", "sleep", "1000", nullptr); });
  const auto own = [&](const serve::Json& known) -> const serve::Json* {
    const auto all = known["processes"].items();
    const auto found = std::ranges::find_if(
        all, [&](const serve::Json& process) { return process["pid"].integer() == one; });
    return found == all.end() ? nullptr : &*found;
  };
  serve::Json known;
  for (int i = 0; i < 100 && !own(known); ++i) {
    meanwhile([] { return ::usleep(100'000); });
    known = json("/api/v1/processes");
  }
  ::kill(one, SIGKILL);
  wait_for(one);
  const auto* process = own(known);
  ASSERT_TRUE(process);
  EXPECT_THAT((*process)["parent"].text(), HasSubstr(fmt::format("-{}-", ::getpid())));
  EXPECT_EQ((*process)["command"].text(), "sleep 1000");
  EXPECT_THAT((*process)["since"].text(), StartsWith("20"));
  EXPECT_TRUE(std::ranges::any_of(known["cgroups"].items(), [&](const serve::Json& cgroup) {
    return cgroup["id"].text() == (*process)["cgroup"].text();
  }));
}

TEST_F(NodeOverHttp, every_observer_says_how_well_it_is) {
  start();
  const auto told = json("/api/v1/status");
  for (const auto& observer : told["observers"].items()) {
    const auto health = observer["health"].text();
    EXPECT_THAT(health, AnyOf("healthy", "degraded", "unhealthy", "off"));
    if (health == "degraded" || health == "unhealthy") {
      EXPECT_FALSE(observer["why"].items().empty()) << observer["name"].text();
    }
  }
  EXPECT_GT(json("/api/v1/schemas")["schemas"].items().size(), 10u);
  EXPECT_EQ(json("/api/v1/openapi.json")["openapi"].text(), "3.0.3");
}

TEST_F(NodeOverHttp, for_everybody_it_speaks_tls_to_who_has_the_token) {
  if (!is_there("openssl")) GTEST_SKIP() << "openssl is not here to make a certificate";
  const auto key = directory_.file("key"), certificate = directory_.file("certificate");
  const auto token = directory_.file("token");
  const auto made = shell(fmt::format(
      "umask 077; openssl rand -hex 32 > {}; openssl req -x509 -newkey rsa:2048 -nodes -keyout {} "
      "-out {} -days 1 -subj /CN=node -addext subjectAltName=IP:127.0.0.1",
      token, key, certificate));
  ASSERT_EQ(made.status, 0) << made.out;
  set("http", "listen", "0.0.0.0:0");
  set("http", "token_file", token);
  set("http", "tls.certificate", certificate);
  set("http", "tls.key", key);
  start();
  const auto ask = [&](const std::string& options) {
    const auto port = address_.substr(address_.rfind(':'));
    return meanwhile([&] {
      return shell(fmt::format("curl -sS --max-time 20 --cacert {} {} "
                               "https://127.0.0.1{}/api/v1/status",
                               certificate, options, port))
          .out;
    });
  };
  EXPECT_THAT(ask(fmt::format("-H \"Authorization: Bearer $(cat {})\"", token)),
              HasSubstr("\"observers\""));
  EXPECT_THAT(ask(""), HasSubstr("Bearer"));
  EXPECT_THAT(ask("--tls-max 1.1"), StartsWith("curl: "));
}

TEST_F(NodeOverHttp, promtool_has_nothing_to_say_of_the_metrics) {
  if (!is_there("promtool")) GTEST_SKIP() << "promtool is not here to judge";
  start();
  const auto page = directory_.file("metrics");
  get("/metrics", "-o " + page);
  const auto judged = shell("promtool check metrics < " + page);
  EXPECT_EQ(judged.status, 0);
  EXPECT_THAT(judged.out, IsEmpty());
  EXPECT_THAT(shell("grep -c '^tapio_' " + page).out, Not(StartsWith("0")));
}

TEST_F(NodeOverHttp, prometheus_scrapes_it_and_answers_queries) {
  if (!is_there("prometheus")) GTEST_SKIP() << "prometheus is not here to scrape";
  const auto token = directory_.file("token");
  ASSERT_EQ(shell("umask 077; head -c 16 /dev/urandom | base64 > " + token).status, 0);
  set("http", "token_file", token);
  start();
  const auto observers = status()["observers"].items().size();
  const Prometheus prometheus(directory_, address_, token);
  // The sum is taken over series, so it is there only when all of a scrape are.
  const auto healths = fmt::format("sum(tapio_observer_health) == {}", observers);
  std::string heard;
  for (int i = 0; i < 300 && !heard.contains("\"value\""); ++i) {
    meanwhile([] { return ::usleep(100'000); });
    heard = meanwhile([&] { return prometheus.answer(healths); });
  }
  EXPECT_THAT(heard, HasSubstr(fmt::format("\"{}\"", observers))) << prometheus.log();
  const auto entered = meanwhile([&] {
    return prometheus.answer("tapio_hook_entered_total{observer=\"process\",hook=\"exec\"} > 0");
  });
  EXPECT_THAT(entered, HasSubstr("\"job\":\"tapio\""));
}

TEST_F(NodeOverHttp, events_stream_while_a_reload_takes_place) {
  start();
  const auto target = "/api/v1/events?name=tapio.configuration.changed";
  const auto heard = meanwhile([&] {
    auto stream = std::async(std::launch::async, [&] { return curl(target, "-N --max-time 4"); });
    while (!curl("/api/v1/status", "").out.contains("\"streams\":1")) ::usleep(100'000);
    set("observers.process", "rate_per_second", "1000");
    EXPECT_FALSE(node_->reload().kept);
    return stream.get().out;
  });
  EXPECT_THAT(heard, HasSubstr("id: "));
  EXPECT_THAT(heard, HasSubstr("observers.process.rate_per_second: 0 -> 1000"));
}

TEST_F(NodeOverHttp, who_says_nothing_or_reads_nothing_neither_slows_nor_keeps_the_agent) {
  set("http", "recent", "1MiB");
  set("http", "request_time", "10m");  // both stay, however slow the machine is
  set("http", "answer_time", "10m");
  start();
  const Fd idle = silent("");
  const Fd deaf = silent("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const char* divide = std::getenv("TAPIO_STORM_DIVIDE");
  const std::uint64_t signals = 60'000 / (divide ? std::max(1, std::atoi(divide)) : 1);
  const pid_t storm = child([&] {
    ::signal(kHarmless, SIG_IGN);
    for (std::uint64_t i = 1; i <= signals; ++i) {
      ::kill(::getpid(), kHarmless);
      if (i % 50 == 0) ::usleep(1000);
    }
    return 0;
  });
  node_->run([&] { return ::waitpid(storm, nullptr, WNOHANG) == storm; });
  EXPECT_THAT(get("/api/v1/status"), StartsWith("{"));
  const auto after = status();
  EXPECT_EQ(after["ledger"]["residue"].integer(), 0);
  EXPECT_GE(after["http"]["streams"].count(), 1u);
  EXPECT_GE(after["http"]["clients"].count(), 2u);
  EXPECT_EQ(after["http"]["missed"].count(), 0u);
  if (signals > 30'000) {
    EXPECT_GT(after["http"]["dropped"].count(), 0u);
  }
  const auto began = monotonic_now();
  node_->finish();
  node_.reset();
  EXPECT_LT(monotonic_now() - began, 5s);
}

}  // namespace
}  // namespace tapio::agent
