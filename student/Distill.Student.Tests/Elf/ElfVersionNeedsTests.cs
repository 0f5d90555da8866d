using CsCheck;
using Distill.ElfCompatibility;

namespace Distill.Student.Tests.Elf;

public sealed class ElfVersionNeedsTests
{
    private const string Library = "libstdc++.so.6", Version = "GLIBCXX_3.4.32";

    private static byte[] Typical => HandMadeElf.With(
        ("libc.so.6", [("GLIBC_2.34", 0), (Version, 0)]),
        (Library, [("GLIBCXX_3.4.30", 0), (Version, 4), ("GLIBCXX_3.4.9", 0)]));

    [Fact]
    public void Every_need_is_read_in_file_order() =>
        ElfVersionNeeds.Read(Typical).Select(need => (need.Library, need.Version, need.Flags)).ShouldBe(
        [
            ("libc.so.6", "GLIBC_2.34", (ushort)0),
            ("libc.so.6", Version, (ushort)0),
            (Library, "GLIBCXX_3.4.30", (ushort)0),
            (Library, Version, (ushort)4),
            (Library, "GLIBCXX_3.4.9", (ushort)0),
        ]);

    [Fact]
    public void Weakening_sets_one_bit_in_the_whole_file()
    {
        byte[] library = Typical;

        ElfVersionNeeds.Weaken(library, Library, Version).ShouldBeTrue();

        int[] changed = [.. Enumerable.Range(0, library.Length).Where(i => library[i] != Typical[i])];
        changed.Length.ShouldBe(1);
        (library[changed[0]] ^ Typical[changed[0]]).ShouldBe(VersionNeed.WeakFlag);
        ElfVersionNeeds.Read(library).Where(need => need.IsWeak).Select(need => (need.Library, need.Version))
            .ShouldBe([(Library, Version)]);
    }

    [Fact]
    public void A_need_that_is_weak_already_stays_as_it_is()
    {
        byte[] library = HandMadeElf.With((Library, [(Version, 2)]));

        ElfVersionNeeds.Weaken(library, Library, Version).ShouldBeFalse();
        library.ShouldBe(HandMadeElf.With((Library, [(Version, 2)])));
    }

    [Theory]
    [InlineData(Library, "GLIBCXX_3.4.33")]
    [InlineData("libother.so", Version)]
    public void A_need_that_is_absent_changes_nothing(string from, string version)
    {
        byte[] library = Typical;

        ElfVersionNeeds.Weaken(library, from, version).ShouldBeFalse();
        library.ShouldBe(Typical);
    }

    [Fact]
    public void A_static_library_needs_nothing()
    {
        byte[] library = Typical;
        HandMadeElf.Put16(library, 56, 1); // no dynamic segment

        ElfVersionNeeds.Read(library).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0, (byte)'M')]
    [InlineData(4, 1)]
    [InlineData(5, 2)]
    public void Anything_but_a_64_bit_little_endian_ELF_file_is_refused(int at, byte value)
    {
        byte[] library = Typical;
        library[at] = value;

        Should.Throw<InvalidDataException>(() => ElfVersionNeeds.Read(library));
    }

    [Fact]
    public void An_empty_file_is_refused() => Should.Throw<InvalidDataException>(() => ElfVersionNeeds.Read([]));

    [Fact]
    public void Offsets_beyond_the_file_are_refused()
    {
        byte[] library = Typical;
        HandMadeElf.Put64(library, HandMadeElf.DynamicOffset + 8, HandMadeElf.LoadAddress + (ulong)library.Length - 4);

        Should.Throw<InvalidDataException>(() => ElfVersionNeeds.Read(library));
    }

    [Fact]
    public void A_chain_that_never_ends_is_cut_by_its_count()
    {
        byte[] library = HandMadeElf.With((Library, [("A", 0), ("B", 0)]), ("x", [("C", 0)]));
        HandMadeElf.Put64(library, HandMadeElf.DynamicOffset + 16 + 8, ulong.MaxValue);

        Should.Throw<InvalidDataException>(() => ElfVersionNeeds.Read(library));
    }

    [Fact]
    public void Damage_anywhere_is_refused_or_read_and_never_runs_away() =>
        Gen.Select(Gen.Int[0, 1023], Gen.Byte, Gen.Int[0, 4096]).Sample(
            damage =>
            {
                byte[] library = Typical[..Math.Max(damage.Item3, 1)];
                if (damage.Item1 < library.Length) library[damage.Item1] = damage.Item2;
                try
                {
                    ElfVersionNeeds.Read(library).Count.ShouldBeLessThan(70_000);
                }
                catch (InvalidDataException)
                {
                    // refused
                }
            },
            iter: 20_000);
}
