// SPDX-License-Identifier: Apache-2.0
#include "capture/btf.hpp"

#include <elf.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

namespace tapio::capture {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A kernel's types, as far as they are asked for; `more` adds to them.
std::string made(const std::function<void(btf*)>& more = [](btf*) {}) {
  const Types types(btf__new_empty());
  btf__add_int(types.get(), "int", 4, BTF_INT_SIGNED);
  btf__add_struct(types.get(), "task_struct", 4);
  btf__add_field(types.get(), "pid", 1, 0, 0);
  more(types.get());
  std::uint32_t bytes = 0;
  const auto* raw = static_cast<const char*>(btf__raw_data(types.get(), &bytes));
  return {raw, bytes};
}

template <typename T>
void append(std::string& out, const T& part) {
  out.append(reinterpret_cast<const char*>(&part), sizeof part);
}

// An ELF file with one section besides that of the names.
std::string elf_with(const char* section, const std::string& content, std::uint16_t machine,
                     std::uint64_t claimed) {
  const std::string names = std::string("\0", 1) + section + '\0';
  Elf64_Ehdr head{};
  std::copy_n(ELFMAG, SELFMAG, head.e_ident);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_ident[EI_VERSION] = EV_CURRENT;
  head.e_type = ET_EXEC;
  head.e_machine = machine;
  head.e_version = EV_CURRENT;
  head.e_ehsize = sizeof head;
  head.e_shoff = sizeof head;
  head.e_shentsize = sizeof(Elf64_Shdr);
  head.e_shnum = 3;
  head.e_shstrndx = 2;
  const std::uint64_t begin = sizeof head + 3 * sizeof(Elf64_Shdr);
  std::string out;
  append(out, head);
  append(out, Elf64_Shdr{});
  append(out, Elf64_Shdr{.sh_name = 1,
                         .sh_type = SHT_PROGBITS,
                         .sh_offset = begin,
                         .sh_size = claimed,
                         .sh_addralign = 1});
  append(out, Elf64_Shdr{.sh_type = SHT_STRTAB,
                         .sh_offset = begin + content.size(),
                         .sh_size = names.size(),
                         .sh_addralign = 1});
  return out + content + names;
}
#if defined(__x86_64__)
constexpr std::uint16_t kHere = EM_X86_64, kElsewhere = EM_AARCH64;
#else
constexpr std::uint16_t kHere = EM_AARCH64, kElsewhere = EM_X86_64;
#endif

class BtfFiles : public testing::Test {
 protected:
  BtfFiles() {
    std::string pattern = testing::TempDir() + "/btfXXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~BtfFiles() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) { return directory_ / name; }
  std::string file(const std::string& content, const std::string& name = "file") {
    std::ofstream(directory_ / name, std::ios::binary) << content;
    return directory_ / name;
  }
  // Why it is refused; "": it is not.
  static std::string refusal(const std::string& path) {
    const auto types = open_btf(path);
    return types ? "" : types.error().what;
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(BtfFiles, raw_types_and_those_in_a_vmlinux_are_taken) {
  EXPECT_EQ(refusal(file(made())), "");
  EXPECT_EQ(refusal(file(elf_with(".BTF", made(), kHere, made().size()))), "");
}

TEST_F(BtfFiles, one_that_is_not_there_or_no_file_is_named_with_the_reason) {
  EXPECT_EQ(refusal(path("none")), path("none") + ": No such file or directory");
  EXPECT_THAT(refusal(path("")), HasSubstr("is no regular file"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(refusal(path("pipe")), HasSubstr("is no regular file"));  // and nobody waits for it
}

TEST_F(BtfFiles, one_that_anybody_may_change_is_refused) {
  const auto open_to_all = file(made());
  ASSERT_EQ(::chmod(open_to_all.c_str(), 0666), 0);
  EXPECT_THAT(refusal(open_to_all), HasSubstr("anybody may write to it"));
}

TEST_F(BtfFiles, what_people_give_instead_is_recognised) {
  EXPECT_THAT(refusal(file("")), HasSubstr("is empty"));
  EXPECT_THAT(refusal(file("btf: /boot/vmlinux\n")), HasSubstr("is neither BTF nor an ELF file"));
  EXPECT_THAT(refusal(file("\x1f\x8b\x08")), HasSubstr("gzip: unpack it first"));
  EXPECT_THAT(refusal(file("\xfd\x37zXZ")), HasSubstr("xz: unpack it first"));
  EXPECT_THAT(refusal(file("\x28\xb5\x2f\xfd")), HasSubstr("zstd: unpack it first"));
  EXPECT_THAT(refusal(file("MZ\xea")), HasSubstr("vmlinuz"));
  EXPECT_THAT(refusal("/proc/self/exe"), HasSubstr("has no section .BTF"));
  EXPECT_THAT(refusal(file(elf_with(".BTF", made(), kElsewhere, made().size()))),
              HasSubstr("is of another architecture"));
}

TEST_F(BtfFiles, types_of_something_else_than_a_kernel_are_refused) {
  const Types types(btf__new_empty());
  btf__add_int(types.get(), "int", 4, BTF_INT_SIGNED);
  std::uint32_t bytes = 0;
  const auto* raw = static_cast<const char*>(btf__raw_data(types.get(), &bytes));
  EXPECT_THAT(refusal(file({raw, bytes})), HasSubstr("is not of a kernel"));
}

TEST_F(BtfFiles, one_that_is_cut_off_is_refused_wherever_it_ends) {
  const auto whole = made();
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(refusal(file(whole.substr(0, length))), "") << length;
  const auto image = elf_with(".BTF", whole, kHere, whole.size());
  for (std::size_t length = 0; length < image.size(); ++length)
    EXPECT_NE(refusal(file(image.substr(0, length))), "") << length;
}

TEST_F(BtfFiles, one_of_any_size_costs_no_memory) {
  const auto huge = file(made());
  ASSERT_EQ(::truncate(huge.c_str(), kMaxBtfBytes + 1), 0);
  EXPECT_THAT(refusal(huge), HasSubstr("is larger than 64 MiB"));
  const auto image = file(elf_with(".BTF", made(), kHere, kMaxBtfBytes + 1), "image");
  ASSERT_EQ(::truncate(image.c_str(), 2 * kMaxBtfBytes), 0);
  EXPECT_THAT(refusal(image), HasSubstr("section .BTF of more than 64 MiB"));
  ASSERT_EQ(::truncate(image.c_str(), kMaxImageBytes + 1), 0);
  EXPECT_THAT(refusal(image), HasSubstr("is larger than 4 GiB"));
}

// libbpf would read beyond its tables, or never come back.
TEST_F(BtfFiles, types_that_name_what_is_not_there_or_themselves_are_refused) {
  constexpr int kNowhere = 9999;
  const std::function<void(btf*)> spoils[] = {
      [](btf* types) { btf__add_field(types, "next", kNowhere, 0, 0); },
      [](btf* types) { btf__add_ptr(types, kNowhere); },
      [](btf* types) { btf__add_array(types, kNowhere, 1, 2); },
      [](btf* types) { btf__add_array(types, 1, kNowhere, 2); },
      [](btf* types) { btf__add_func_proto(types, kNowhere); },
      [](btf* types) {
        btf__add_func_proto(types, 1);
        btf__add_func_param(types, "first", kNowhere);
      },
      [](btf* types) { btf__add_typedef(types, "itself", 3); },
      [](btf* types) {
        btf__add_const(types, 4);
        btf__add_volatile(types, 3);
      }};
  for (const auto& spoil : spoils)
    EXPECT_THAT(refusal(file(made(spoil))), HasSubstr("is damaged")) << &spoil - spoils;
}

TEST_F(BtfFiles, aliases_of_void_and_long_chains_are_sound) {
  EXPECT_EQ(refusal(file(made([](btf* types) {
              btf__add_const(types, 0);
              for (int i = 3; i < 10; ++i) btf__add_typedef(types, "again", i);
              btf__add_func_proto(types, 0);
            }))),
            "");
}

class BtfChoice : public BtfFiles {
 protected:
  const std::string own = file(made(), "own"), given = file(made(), "given"),
                    image = file(made(), "image"), broken = file("MZ", "broken");
};

TEST_F(BtfChoice, the_kernels_own_wins_over_a_setting) {
  const auto btf = find_btf(given, {.own = own, .disk = {image}});
  EXPECT_EQ(btf.from, Btf::From::kernel);
  EXPECT_EQ(btf.path, own);
  EXPECT_EQ(describe(btf), own);
}

TEST_F(BtfChoice, without_it_the_setting_wins_over_the_disk) {
  const auto btf = find_btf(given, {.own = path("none"), .disk = {image}});
  EXPECT_EQ(btf.from, Btf::From::setting);
  EXPECT_EQ(describe(btf), given + ", because " + path("none") + ": No such file or directory");
}

TEST_F(BtfChoice, a_setting_that_is_wrong_is_told_and_the_disk_is_taken) {
  const auto btf =
      find_btf(broken, {.own = path("none"), .disk = {path("neither"), broken, image}});
  EXPECT_EQ(btf.from, Btf::From::disk);
  EXPECT_EQ(btf.path, image);
  EXPECT_THAT(btf.trouble, HasSubstr("btf.path: " + broken + ": is a packed kernel image"));
}

TEST_F(BtfChoice, with_none_at_all_it_says_what_was_tried) {
  const auto btf = find_btf(broken, {.own = path("none"), .disk = {path("neither")}});
  EXPECT_EQ(btf.from, Btf::From::nowhere);
  EXPECT_EQ(btf.path, "");
  EXPECT_THAT(describe(btf), StartsWith("none, because " + path("none")));
  EXPECT_THAT(describe(btf), HasSubstr("btf.path: " + broken));
}

TEST_F(BtfChoice, one_of_the_kernel_that_cannot_be_read_is_as_good_as_none) {
  EXPECT_EQ(find_btf(given, {.own = broken, .disk = {}}).from, Btf::From::setting);
}

}  // namespace
}  // namespace tapio::capture
