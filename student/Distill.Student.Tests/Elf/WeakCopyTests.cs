using Distill.ElfCompatibility;

namespace Distill.Student.Tests.Elf;

public sealed class WeakCopyTests : IDisposable
{
    private const string Library = "libstdc++.so.6", Version = "GLIBCXX_3.4.32";
    private readonly string folder = Directory.CreateTempSubdirectory("distill-elf-").FullName;

    public WeakCopyTests()
    {
        Directory.CreateDirectory(Path.Combine(folder, "cache"));
        File.WriteAllBytes(Original, Strong);
    }

    private static byte[] Strong => HandMadeElf.With((Library, [(Version, 0)]));

    private string Original => Path.Combine(folder, "cache", "lib.so");

    private string Copy => Path.Combine(folder, "out", "deep", "lib.so");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_copy_is_weak_and_the_original_untouched()
    {
        WeakCopy.Write(Original, Copy, Library, Version).ShouldBeTrue();

        ElfVersionNeeds.Read(File.ReadAllBytes(Copy)).Single().IsWeak.ShouldBeTrue();
        File.ReadAllBytes(Original).ShouldBe(Strong);
        Directory.GetFiles(Path.GetDirectoryName(Copy)!).ShouldBe([Copy]);
    }

    [Fact]
    public void A_second_call_does_nothing_until_the_original_changes()
    {
        WeakCopy.Write(Original, Copy, Library, Version);

        WeakCopy.Write(Original, Copy, Library, Version).ShouldBeFalse();
        File.SetLastWriteTimeUtc(Original, File.GetLastWriteTimeUtc(Original).AddHours(1));
        WeakCopy.Write(Original, Copy, Library, Version).ShouldBeTrue();
    }

    [Fact]
    public void Where_a_hard_link_to_the_original_lay_the_original_keeps_its_content()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Makes a hard link with ln.");
        Directory.CreateDirectory(Path.GetDirectoryName(Copy)!);
        using (var ln = System.Diagnostics.Process.Start("ln", [Original, Copy])) ln.WaitForExit();

        WeakCopy.Write(Original, Copy, Library, Version).ShouldBeTrue();

        File.ReadAllBytes(Original).ShouldBe(Strong);
        ElfVersionNeeds.Read(File.ReadAllBytes(Copy)).Single().IsWeak.ShouldBeTrue();
    }

    [Fact]
    public void A_library_without_the_need_is_copied_as_it_is()
    {
        byte[] other = HandMadeElf.With((Library, [("GLIBCXX_3.4", 0)]));
        File.WriteAllBytes(Original, other);

        WeakCopy.Write(Original, Copy, Library, Version);

        File.ReadAllBytes(Copy).ShouldBe(other);
    }

    [Fact]
    public void A_file_that_is_no_library_is_refused_by_name_and_nothing_is_written()
    {
        File.WriteAllText(Original, "not a library");

        Should.Throw<InvalidDataException>(() => WeakCopy.Write(Original, Copy, Library, Version)).Message.ShouldContain(Original);
        File.Exists(Copy).ShouldBeFalse();
    }
}
