// SPDX-License-Identifier: Apache-2.0
// TLS and logins, as real servers on loopback judge them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <nettle/eddsa.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "base/log.hpp"
#include "nats_credentials.hpp"
#include "nats_server.hpp"
#include "nats_sink.hpp"
#include "temporary.hpp"

namespace tapio::nats {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr SchemaOf kEvent{"test.event", Kind::event, "", Field{"n", Type::u64, ""}};

class NatsLogins : public testing::Test {
 protected:
  void SetUp() override {
    if (!NatsServer::is_there()) GTEST_SKIP() << "no nats-server to test with";
    log::configure(log::Level::error, log::Format::text);
  }
  void TearDown() override { log::configure(log::Level::info, log::Format::text); }

  void start(const std::string& more) {
    server_ = std::make_unique<NatsServer>(directory_.file("."), "s1", more);
    server_->start();
  }
  [[nodiscard]] Config plain() const {
    return {.servers = {server_->url()},
            .node = "n1",
            .stream_create = true,
            .stream_max_bytes = {64 << 20}};
  }
  [[nodiscard]] Config tls(const std::string& host = "127.0.0.1") const {
    Config config = plain();
    config.servers = {fmt::format("tls://{}:{}", host, server_->port())};
    config.tls_ca = directory_.file("ca.pem");
    return config;
  }
  // "": it is stored. Else why not.
  static std::string write(const Config& config) {
    const auto sink = NatsSink::open(config);
    if (!sink) return sink.error().what;
    Batch batch;
    for (std::uint64_t i = 0; i < 300; ++i) {
      batch.records.push_back(kEvent({}, i));
      batch.records.back().id = {.run = 1, .number = i};
    }
    const Status status = (*sink)->write(batch);
    if (status) return "";
    EXPECT_EQ(status.error().fault, Fault::unavailable);
    return status.error().what;
  }
  std::string secret(const char* name, const std::string& text) {
    const auto path = directory_.file(name);
    std::ofstream(path) << text << '\n';
    EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
    return path;
  }
  // A CA `ca`, and of it one certificate for the server and one for us.
  void make_certificates(const std::string& server_is = "IP:127.0.0.1,DNS:localhost") {
    const auto run = [&](const std::string& command) {
      const auto whole =
          fmt::format("cd {} && openssl {} >>openssl.log 2>&1", directory_.file("."), command);
      EXPECT_EQ(std::system(whole.c_str()), 0) << command;
    };
    const auto authority = [&](const std::string& name) {
      run(
          fmt::format("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
                      "-subj /CN={0} -keyout {0}.key -out {0}.pem",
                      name));
    };
    const auto certificate = [&](const std::string& name, const std::string& also) {
      std::ofstream(directory_.file("names")) << also;
      run(
          fmt::format("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={0} "
                      "-keyout {0}.key -out {0}.csr",
                      name));
      run(
          fmt::format("x509 -req -in {0}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
                      "-extfile names -out {0}.pem",
                      name));
    };
    authority("ca");
    authority("other");
    certificate("server", "subjectAltName=" + server_is);
    certificate("client", "subjectAltName=DNS:node");
  }
  [[nodiscard]] std::string tls_block(const std::string& more = "") const {
    return fmt::format("tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\"{} }}",
                       directory_.file("server.pem"), directory_.file("server.key"),
                       directory_.file("ca.pem"), more);
  }

  Temporary directory_;
  std::unique_ptr<NatsServer> server_;
};

TEST_F(NatsLogins, go_through_tls_to_a_server_whose_certificate_is_trusted_and_for_its_name) {
  make_certificates();
  start(tls_block());
  EXPECT_EQ(write(tls()), "");
  EXPECT_EQ(write(tls("localhost")), "");
}

TEST_F(NatsLogins, refuse_a_server_that_is_not_trusted_or_somebody_else) {
  make_certificates("IP:127.0.0.1,DNS:nats.example");
  start(tls_block());
  Config other = tls();
  other.tls_ca = directory_.file("other.pem");
  EXPECT_THAT(write(other), AllOf(HasSubstr("certificate is refused"), HasSubstr("NOT trusted")));
  other.tls_ca.clear();
  EXPECT_THAT(write(other), HasSubstr("NOT trusted"));
  EXPECT_THAT(write(tls("localhost")), HasSubstr("does not match"));
  EXPECT_THAT(write(plain()), HasSubstr("wants TLS; write tls://"));
  other.tls_ca = directory_.file("none.pem");
  EXPECT_THAT(write(other), HasSubstr("none.pem"));
  std::ofstream(directory_.file("none.pem")) << "nothing";
  EXPECT_THAT(write(other), HasSubstr("no certificate in PEM"));
}

TEST_F(NatsLogins, refuse_to_go_on_in_clear_with_a_server_that_has_no_tls) {
  make_certificates();
  start("");
  EXPECT_THAT(write(tls()), HasSubstr("has no TLS"));
}

TEST_F(NatsLogins, show_a_certificate_to_a_server_that_asks_for_one) {
  make_certificates();
  start(tls_block(", verify: true"));
  EXPECT_NE(write(tls()), "");
  Config config = tls();
  config.tls_certificate = directory_.file("client.pem");
  config.tls_key = directory_.file("client.key");
  EXPECT_EQ(write(config), "");
  EXPECT_EQ(::chmod(config.tls_key.c_str(), 0644), 0);
  EXPECT_THAT(write(config), HasSubstr("chmod o="));
}

TEST_F(NatsLogins, are_by_token) {
  start("authorization { token: s3cret }");
  Config config = plain();
  EXPECT_THAT(write(config), HasSubstr("Authorization Violation"));
  config.auth_token_file = secret("token", "wrong");
  EXPECT_THAT(write(config), HasSubstr("Authorization Violation"));
  config.auth_token_file = secret("token", "s3cret");
  EXPECT_EQ(write(config), "");
}

TEST_F(NatsLogins, are_by_user_and_password_and_say_what_the_user_may_not) {
  start(
      "accounts { A: { jetstream: enabled, users: ["
      " { user: node, password: s3cret },"
      " { user: narrow, password: s3cret, permissions: {"
      "    publish: [\"other.>\", \"$JS.API.>\"], subscribe: \"_INBOX.>\" } },"
      " { user: deaf, password: s3cret, permissions: { subscribe: \"other\" } } ] } }");
  Config config = plain();
  config.auth_user = "node";
  config.auth_password_file = secret("password", "wrong");
  EXPECT_THAT(write(config), HasSubstr("Authorization Violation"));
  secret("password", "s3cret");
  EXPECT_EQ(write(config), "");
  config.auth_user = "narrow";
  EXPECT_THAT(write(config), AllOf(HasSubstr("300 of 300 records were not acknowledged"),
                                   HasSubstr("Permissions Violation for Publish to \"tapio.n1.")));
  config.auth_user = "deaf";
  EXPECT_THAT(write(config), HasSubstr("Permissions Violation for Subscription to \"_INBOX."));
}

// What NATS' own tools write: keys and tokens of an operator, an account and a user.
class Identity {
 public:
  Identity(unsigned kind, std::uint8_t first) : kind_(kind << 3) {
    seed_.fill(first);
    std::array<std::uint8_t, 32> key{};
    ed25519_sha512_public_key(key.data(), seed_.data());
    public_ = base32({{static_cast<std::uint8_t>(kind_)}, {key.begin(), key.end()}});
  }
  [[nodiscard]] const std::string& name() const { return public_; }
  [[nodiscard]] std::string seed() const {
    return base32({{static_cast<std::uint8_t>(18 << 3 | kind_ >> 5),
                    static_cast<std::uint8_t>((kind_ & 31) << 3)},
                   {seed_.begin(), seed_.end()}});
  }
  // That `subject` is what `claims` say.
  [[nodiscard]] std::string token(const Identity& subject, const std::string& claims) const {
    const auto signed_part =
        base64(R"({"typ":"JWT","alg":"ed25519-nkey"})") + '.' +
        base64(fmt::format(
            R"({{"jti":"1","iat":1700000000,"iss":"{}","name":"x","sub":"{}","nats":{}}})", name(),
            subject.name(), claims));
    return signed_part + '.' + sign(seed_, signed_part);
  }

 private:
  using Parts = std::pair<std::vector<std::uint8_t>, std::vector<std::uint8_t>>;
  static std::string base32(Parts parts) {
    auto& [bytes, more] = parts;
    bytes.insert(bytes.end(), more.begin(), more.end());
    unsigned sum = 0;
    for (const std::uint8_t byte : bytes) {
      sum ^= static_cast<unsigned>(byte) << 8;
      for (int i = 0; i < 8; ++i) sum = (sum & 0x8000 ? sum << 1 ^ 0x1021 : sum << 1) & 0xFFFF;
    }
    bytes.push_back(static_cast<std::uint8_t>(sum));
    bytes.push_back(static_cast<std::uint8_t>(sum >> 8));
    return digits(bytes, 5, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
  }
  static std::string base64(const std::string& text) {
    return digits({text.begin(), text.end()}, 6,
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
  }
  static std::string digits(const std::vector<std::uint8_t>& bytes, unsigned bits,
                            std::string_view alphabet) {
    std::string out;
    unsigned value = 0, have = 0;
    for (const std::uint8_t byte : bytes) {
      value = (value << 8 | byte) & 0xFFFF;
      for (have += 8; have >= bits; have -= bits)
        out += alphabet[value >> (have - bits) & (alphabet.size() - 1)];
    }
    if (have > 0) out += alphabet[value << (bits - have) & (alphabet.size() - 1)];
    return out;
  }

  unsigned kind_;
  Seed seed_{};
  std::string public_;
};

TEST_F(NatsLogins, are_by_a_credentials_file) {
  const Identity op(14, 1), account(0, 2), user(20, 3), stranger(20, 4), system(0, 5);
  start(fmt::format(
      "operator: {0}\nsystem_account: {1}\nresolver: MEMORY\n"
      "resolver_preload: {{ {1}: \"{2}\", {3}: \"{4}\" }}",
      op.token(op, R"({"type":"operator","version":2})"), system.name(),
      op.token(system, R"({"type":"account","version":2,"limits":{"subs":-1,"conn":-1}})"),
      account.name(),
      op.token(
          account,
          R"({"type":"account","version":2,"limits":{"subs":-1,"conn":-1,"leaf":-1,"imports":-1,)"
          R"("exports":-1,"data":-1,"payload":-1,"wildcards":true,"disk_storage":100000000,)"
          R"("mem_storage":1000000,"streams":-1,"consumer":-1}})")));
  const auto credentials = [&](const Identity& key) {
    const auto jwt =
        account.token(user, R"({"type":"user","version":2,"subs":-1,"data":-1,"payload":-1})");
    return secret("user.creds",
                  fmt::format("-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n"
                              "-----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------",
                              jwt, key.seed()));
  };
  Config config = plain();
  config.auth_credentials = credentials(user);
  EXPECT_EQ(write(config), "") << server_->log();
  config.auth_credentials = credentials(stranger);
  EXPECT_THAT(write(config), HasSubstr("Authorization Violation"));
}

}  // namespace
}  // namespace tapio::nats
