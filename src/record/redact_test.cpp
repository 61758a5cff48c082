// SPDX-License-Identifier: Apache-2.0
#include "record/redact.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tapio {
namespace {

using Words = std::vector<std::string_view>;
using testing::ElementsAre;
using testing::ElementsAreArray;

struct Case {
  Words in, out;
};

Words redacted(const Words& in, Arena& arena, Redactor& redactor) {
  std::span<const std::string_view> out;
  redactor.redact_args(in, arena, out);
  return {out.begin(), out.end()};
}

void check(std::initializer_list<Case> cases) {
  for (const auto& [in, out] : cases) {
    Arena arena;
    Redactor redactor;
    EXPECT_THAT(redacted(in, arena, redactor), ElementsAreArray(out))
        << "of " << testing::PrintToString(in);
  }
}

void check_unchanged(std::initializer_list<Words> cases) {
  for (const Words& in : cases) {
    Arena arena;
    Redactor redactor;
    std::span<const std::string_view> out;
    EXPECT_FALSE(redactor.redact_args(in, arena, out)) << testing::PrintToString(in);
    EXPECT_EQ(out.data(), in.data());
    EXPECT_EQ(out.size(), in.size());
    EXPECT_EQ(arena.taken(), 0u);
    EXPECT_EQ(redactor.replaced(), 0u);
  }
}

std::string text(std::string_view in) {
  Arena arena;
  Redactor redactor;
  return std::string(redactor.redact_text(in, arena));
}

TEST(Redaction, hides_the_value_after_a_password_option) {
  check({
      {{"x", "--password", "hunter2", "y"}, {"x", "--password", "***", "y"}},
      {{"x", "--PASSWORD", "hunter2"}, {"x", "--PASSWORD", "***"}},
      {{"x", "-password", "hunter2"}, {"x", "-password", "***"}},
      {{"x", "--password=hunter2"}, {"x", "--password=***"}},
      {{"x", "-password=hunter2"}, {"x", "-password=***"}},
      {{"x", "--password=two words"}, {"x", "--password=***"}},
      {{"x", "--password=a=b&c;d"}, {"x", "--password=***"}},
      {{"x", "--password", "two words"}, {"x", "--password", "***"}},
  });
}

TEST(Redaction, knows_a_secret_word_inside_the_name_of_an_option) {
  check({
      {{"x", "--db-token", "t"}, {"x", "--db-token", "***"}},
      {{"x", "--db_token=t"}, {"x", "--db_token=***"}},
      {{"x", "--dbToken", "t"}, {"x", "--dbToken", "***"}},
      {{"x", "--api-key", "t"}, {"x", "--api-key", "***"}},
      {{"x", "--apiKey=t"}, {"x", "--apiKey=***"}},
      {{"x", "--api.key=t"}, {"x", "--api.key=***"}},
      {{"x", "--aws-secret-access-key", "t"}, {"x", "--aws-secret-access-key", "***"}},
      {{"x", "--private-key", "t"}, {"x", "--private-key", "***"}},
      {{"x", "--root-passwd=t"}, {"x", "--root-passwd=***"}},
      {{"redis-server", "--requirepass", "t"}, {"redis-server", "--requirepass", "***"}},
      {{"openssl", "-passin", "pass:t"}, {"openssl", "-passin", "***"}},
      {{"java", "-Dspring.datasource.password=t"}, {"java", "-Dspring.datasource.password=***"}},
      {{"java", "-Dpassword=t"}, {"java", "-Dpassword=***"}},
  });
}

TEST(Redaction, hides_what_variables_with_secret_names_hold) {
  check({
      {{"env", "DB_PASSWORD=t", "x"}, {"env", "DB_PASSWORD=***", "x"}},
      {{"env", "PGPASSWORD=t"}, {"env", "PGPASSWORD=***"}},
      {{"env", "MYSQL_PWD=t"}, {"env", "MYSQL_PWD=***"}},
      {{"env", "GITHUB_TOKEN=two words"}, {"env", "GITHUB_TOKEN=***"}},
      {{"docker", "run", "-e", "API_KEY=t", "i"}, {"docker", "run", "-e", "API_KEY=***", "i"}},
      {{"helm", "--set", "a.password=t"}, {"helm", "--set", "a.password=***"}},
      {{"helm", "--set", "n=1,a.password=t"}, {"helm", "--set", "n=1,a.password=***"}},
      {{"helm", "--set=auth.password=t"}, {"helm", "--set=auth.password=***"}},
      {{"x", "--env=MY_SECRET=t"}, {"x", "--env=MY_SECRET=***"}},
      {{"x", "DSN=Server=h;Password=t;Database=d"}, {"x", "DSN=Server=h;Password=***;Database=d"}},
      {{"x", "KEY_SECRET=-----BEGIN\nabc\n-----END"}, {"x", "KEY_SECRET=***"}},
  });
}

TEST(Redaction, keeps_what_only_looks_like_a_secret) {
  check_unchanged({
      {},
      {""},
      {"ls", "-l", "--color=auto", "/tmp"},
      {"x", "--token-file", "/run/token"},
      {"x", "--token-file=/run/token"},
      {"x", "--password-fd", "3"},
      {"x", "--secret-name", "db"},
      {"x", "--secretName=db"},
      {"x", "--no-password", "db"},
      {"x", "--skip-auth", "db"},
      {"docker", "login", "--password-stdin", "registry.example"},
      {"kube-apiserver", "--authorization-mode=Node,RBAC", "--token-auth-file=/a"},
      {"env", "AWS_ACCESS_KEY_ID=AKIA", "SSH_AUTH_SOCK=/tmp/s", "PWD=/home/x", "OLDPWD=/"},
      {"git", "commit", "--author=me", "--author", "me"},
      {"llm", "--max-tokens", "100", "--tokenizer=bpe"},
      {"passwd", "bob"},
      {"vault", "token", "lookup"},
      {"docker", "pull", "registry/auth:latest", "my-token:1.2"},
      {"docker", "run", "--user", "1000:1000", "-p8080:80", "-p", "80:80", "nginx"},
      {"ssh", "-p", "22", "git@host:path", "https://host:8080/@v1", "ssh://git@host/x"},
      {"x", "PASSWORD=", "--token=", "--auth=true", "--secret", "false"},
      {"x", "--password=***", "--token", "***"},
      {"x", "--compass", "n", "bypass=1", "KEYBOARD=us", "--key", "a"},
      {"=", ":", "://", "://@", "a=:b", "-", "--", "---", "-=", "--="},
  });
}

TEST(Redaction, hides_an_argument_behind_a_secret_option_even_if_it_starts_with_a_dash) {
  check({
      {{"x", "--password", "-hunter2"}, {"x", "--password", "***"}},
      {{"x", "--password", "--Hunter2"}, {"x", "--password", "***"}},
      {{"x", "--password", "-v", "a"}, {"x", "--password", "***", "a"}},
  });
}

TEST(Redaction, takes_a_long_option_behind_a_secret_option_for_what_it_looks_like) {
  check({
      {{"x", "--auth", "--token", "t"}, {"x", "--auth", "--token", "***"}},
      {{"x", "--auth", "--password=t", "a"}, {"x", "--auth", "--password=***", "a"}},
      {{"x", "--token", "-password", "t"}, {"x", "--token", "***", "***"}},
  });
  check_unchanged({{"x", "--auth", "--verbose", "a"},
                   {"x", "--auth", "--log-level=debug", "a"},
                   {"x", "--auth", "--", "a"},
                   {"x", "--password"}});
}

TEST(Redaction, knows_the_short_options_of_some_programs) {
  check({
      {{"mysql", "-uroot", "-pSECRET", "db"}, {"mysql", "-uroot", "-p***", "db"}},
      {{"/usr/bin/mysqldump", "-pSECRET"}, {"/usr/bin/mysqldump", "-p***"}},
      {{"mariadb", "-pSECRET"}, {"mariadb", "-p***"}},
      {{"sudo", "-u", "root", "mysql", "-pSECRET"}, {"sudo", "-u", "root", "mysql", "-p***"}},
      {{"env", "A=1", "mysql", "-pSECRET"}, {"env", "A=1", "mysql", "-p***"}},
      {{"sshpass", "-pSECRET", "ssh", "h"}, {"sshpass", "-p***", "ssh", "h"}},
      {{"sshpass", "-p", "SECRET", "ssh", "h"}, {"sshpass", "-p", "***", "ssh", "h"}},
      {{"redis-cli", "-a", "SECRET", "ping"}, {"redis-cli", "-a", "***", "ping"}},
      {{"mongodump", "-p", "SECRET"}, {"mongodump", "-p", "***"}},
      {{"ldapsearch", "-x", "-w", "SECRET"}, {"ldapsearch", "-x", "-w", "***"}},
  });
  check_unchanged({{"mysql", "-p", "database"},
                   {"patch", "-p1"},
                   {"nmap", "-pSECRET"},
                   {"grep", "mysql", "-pattern"},
                   {"redis-cli", "-p", "6379"}});
}

TEST(Redaction, hides_the_password_of_user_and_password_given_to_curl) {
  check({
      {{"curl", "-u", "bob:pw", "h"}, {"curl", "-u", "bob:***", "h"}},
      {{"curl", "-ubob:pw", "h"}, {"curl", "-ubob:***", "h"}},
      {{"curl", "-sSu", "bob:pw:x", "h"}, {"curl", "-sSu", "bob:***", "h"}},
      {{"curl", "--user", "bob:pw"}, {"curl", "--user", "bob:***"}},
      {{"curl", "--user=bob:pw"}, {"curl", "--user=bob:***"}},
      {{"/usr/bin/curl", "--proxy-user", "bob:pw"}, {"/usr/bin/curl", "--proxy-user", "bob:***"}},
  });
  check_unchanged({{"curl", "-u", "bob", "h"}, {"curl", "--user", "bob"}, {"id", "-u", "a:b"}});
}

TEST(Redaction, hides_what_secret_headers_hold) {
  check({
      {{"curl", "-H", "Authorization: Bearer xyz"}, {"curl", "-H", "Authorization: ***"}},
      {{"curl", "-H", "authorization:Basic eHl6"}, {"curl", "-H", "authorization:***"}},
      {{"curl", "-HX-Api-Key:xyz"}, {"curl", "-HX-Api-Key:***"}},
      {{"curl", "--header=PRIVATE-TOKEN:xyz"}, {"curl", "--header=PRIVATE-TOKEN:***"}},
      {{"curl", "-H", "Authorization: Digest username=\"x\", response=\"abc\""},
       {"curl", "-H", "Authorization: ***"}},
      {{"x", "Bearer xyz"}, {"x", "Bearer ***"}},
      {{"x", "bearer", "xyz"}, {"x", "bearer", "***"}},
      {{"printf", "X-Auth-Token: a\r\nHost: h\r\n"},
       {"printf", "X-Auth-Token: ***\r\nHost: h\r\n"}},
  });
  check_unchanged(
      {{"curl", "-H", "Content-Type: text/plain", "-H", "Host:h"}, {"the", "forbearer", "walks"}});
}

TEST(Redaction, hides_the_password_in_urls_and_keeps_scheme_user_and_host) {
  check({
      {{"x", "https://user:pw@host/"}, {"x", "https://user:***@host/"}},
      {{"x", "https://user:p@w@host/"}, {"x", "https://user:***@host/"}},
      {{"x", "redis://:pw@host:6379/0"}, {"x", "redis://:***@host:6379/0"}},
      {{"x", "--url=postgres://u:p'w@h/d?a=b"}, {"x", "--url=postgres://u:***@h/d?a=b"}},
      {{"x", "http://a:b@c,http://d:e@f"}, {"x", "http://a:***@c,http://d:***@f"}},
      {{"x", "https://h/?token=abc&x=1"}, {"x", "https://h/?token=***&x=1"}},
  });
  EXPECT_EQ(text("'amqp://u:p@h' \"amqp://v:p@h\""), "'amqp://u:***@h' \"amqp://v:***@h\"");
}

TEST(Redaction, hides_secrets_in_json) {
  check({
      {{"curl", "-d", R"({"user":"bob","password":"p w","n":1})"},
       {"curl", "-d", R"({"user":"bob","password":"***","n":1})"}},
      {{"curl", "-d", R"({"token" : 12345, "n":1})"}, {"curl", "-d", R"({"token" : ***, "n":1})"}},
      {{"curl", "-d", R"({"a":{"apiKey":"p\"w"}})"}, {"curl", "-d", R"({"a":{"apiKey":"***"}})"}},
  });
  EXPECT_EQ(text(R"(curl -d "{\"password\":\"p w\",\"n\":1}" h)"),
            R"(curl -d "{\"password\":***,\"n\":1}" h)");
}

TEST(Redaction, looks_into_scripts) {
  check({
      {{"sh", "-c", "mysql -pSECRET db"}, {"sh", "-c", "mysql -p*** db"}},
      {{"sh", "-c", "TOKEN=abc cmd --password 'a b' --x y"},
       {"sh", "-c", "TOKEN=*** cmd --password '***' --x y"}},
      {{"bash", "-lc", "export A_SECRET=\"a b\"; run"},
       {"bash", "-lc", "export A_SECRET=\"***\"; run"}},
      {{"sh", "-c", "cd /x && curl -u bob:pw https://h | tee"},
       {"sh", "-c", "cd /x && curl -u bob:*** https://h | tee"}},
      {{"sh", "-c", "curl -H 'Authorization: Bearer xyz' https://h"},
       {"sh", "-c", "curl -H 'Authorization: ***' https://h"}},
      {{"ssh", "h", "psql --password hunter2 -l"}, {"ssh", "h", "psql --password *** -l"}},
      {{"sh", "-c", "a\nmysql -pX\nls -p1"}, {"sh", "-c", "a\nmysql -p***\nls -p1"}},
      {{"sh", "-c", "(sshpass -p X ssh h)"}, {"sh", "-c", "(sshpass -p *** ssh h)"}},
      {{"sh", "-c", "x $(mysql -pX)"}, {"sh", "-c", "x $(mysql -p***)"}},
      {{"sh", "-c", "say 'Bearer' X"}, {"sh", "-c", "say 'Bearer' ***"}},
      {{"sh", "-c", "say X BEARER X"}, {"sh", "-c", "say X BEARER ***"}},
      {{"sh", "-c", "OPTS=\"--password X\" y"}, {"sh", "-c", "OPTS=\"--password ***\" y"}},
  });
  check_unchanged({{"sh", "-c", "mysql -p db; patch -p1 --no-password x"},
                   {"sh", "-c", "echo --password; ls"},
                   {"sh", "-c", "run --password && ls"}});
}

TEST(Redaction, reads_plain_text_as_a_script) {
  EXPECT_EQ(text("run --password=abc now"), "run --password=*** now");
  EXPECT_EQ(text("run --password \"a b\" now"), "run --password \"***\" now");
  EXPECT_EQ(text("sh -c \"mysql --password=abc\" foo"), "sh -c \"mysql --password=***\" foo");
  EXPECT_EQ(text("ssh h \"x --token abc\" foo"), "ssh h \"x --token ***\" foo");
  EXPECT_EQ(text("JAVA_OPTS=\"-x --password abc\" java"), "JAVA_OPTS=\"-x --password ***\" java");
  EXPECT_EQ(text("OPTS=--password abc"), "OPTS=--password ***");
  EXPECT_EQ(text("password = abc"), "password = ***");
  EXPECT_EQ(text("don't use --token abc 'x'"), "don't use --token *** 'x'");
  EXPECT_EQ(text("don't use token='abc' now"), "don't use token='***' now");
  EXPECT_EQ(text("a\\'b token=x\\ y z"), "a\\'b token=*** z");
  EXPECT_EQ(text("--password=a'b c'd e"), "--password=*** e");
}

TEST(Redaction, gives_text_without_secrets_back_as_it_is) {
  Arena arena;
  Redactor redactor;
  for (const std::string_view in : {"", "nginx", "/usr/bin/x", "a b c", "key: value", "a=b"}) {
    const auto out = redactor.redact_text(in, arena);
    EXPECT_EQ(out.data(), in.data());
    EXPECT_EQ(out.size(), in.size());
  }
  EXPECT_EQ(arena.taken(), 0u);
}

TEST(Redaction, counts_each_part_that_it_replaced) {
  Arena arena;
  Redactor redactor;
  EXPECT_EQ(redactor.redact_text("token=a b --password c", arena), "token=*** b --password ***");
  EXPECT_EQ(redactor.replaced(), 2u);
  redacted({"x", "--auth=a", "Authorization: Bearer x"}, arena, redactor);
  EXPECT_EQ(redactor.replaced(), 4u);
}

TEST(Redaction, hides_all_that_follows_more_parts_than_it_keeps_apart) {
  std::string in;
  for (int i = 0; i < 1000; ++i) in += "token=a x ";
  in += "end";
  const std::string out = text(in);
  EXPECT_LE(out.size(), in.size() + 3 * Redactor::kMaxHidden);
  EXPECT_TRUE(out.starts_with("token=*** x token=*** x "));
  EXPECT_TRUE(out.ends_with("token=***")) << out;
}

TEST(Redaction, takes_the_secret_names_of_its_configuration) {
  Arena arena;
  Redactor redactor({.enabled = true, .names = {"launch_code"}});
  EXPECT_THAT(redacted({"x", "--launch-code", "0000", "--password", "y"}, arena, redactor),
              ElementsAre("x", "--launch-code", "***", "--password", "y"));
}

TEST(Redaction, can_be_turned_off) {
  Arena arena;
  Redactor redactor({.enabled = false});
  EXPECT_THAT(redacted({"x", "--password", "y"}, arena, redactor),
              ElementsAre("x", "--password", "y"));
  EXPECT_EQ(redactor.redact_text("--password y", arena), "--password y");
}

TEST(Redaction, goes_on_with_other_names_and_keeps_its_count) {
  Arena arena;
  Redactor redactor;
  EXPECT_EQ(redactor.redact_text("--password y", arena), "--password ***");
  redactor.configure({.enabled = true, .names = {"launch_code"}});
  EXPECT_EQ(redactor.redact_text("--password y --launch-code 0", arena),
            "--password y --launch-code ***");
  redactor.configure({.enabled = false});
  EXPECT_EQ(redactor.redact_text("--launch-code 0", arena), "--launch-code 0");
  EXPECT_EQ(redactor.replaced(), 2u);
}

TEST(Redaction, covers_all_text_of_a_record) {
  static constexpr SchemaOf kSchema{"test.redact",
                                    Kind::event,
                                    "",
                                    Field{"n", Type::i64, ""},
                                    Field{"t", Type::text, ""},
                                    Field{"l", Type::texts, ""}};
  Arena arena;
  Redactor redactor;
  const std::string_view args[] = {"x", "--token", "abc"};
  Record record = kSchema({}, 7, "token=abc", std::span(args));
  redactor.redact(record, arena);
  EXPECT_EQ(std::get<std::int64_t>(record.values[0]), 7);
  EXPECT_EQ(std::get<std::string_view>(record.values[1]), "token=***");
  EXPECT_THAT(std::get<std::span<const std::string_view>>(record.values[2]),
              ElementsAre("x", "--token", "***"));
}

TEST(SecretNames, compare_word_by_word) {
  const std::vector<std::string> known = {"token", "api-key", "pwd"};
  const SecretNames names(known);
  for (const std::string_view name :
       {"token", "TOKEN", "my.token", "MyToken", "mytoken", "X-Api-Key", "apiKey", "API_KEY",
        "[api][key]", "token_file_token", "DB_PWD", "HTTPToken", "pwd"})
    EXPECT_TRUE(names.has(name)) << name;
  for (const std::string_view name :
       {"", "-", "tok", "tokens", "tokenfile", "key", "api", "key-api", "apikey", "OLDPWD", "PWD",
        "token_file", "no-token", "TOKEN_URL", "___"})
    EXPECT_FALSE(names.has(name)) << name;
}

}  // namespace
}  // namespace tapio
