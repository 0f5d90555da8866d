using Distill.Storage.Checks;

namespace Distill.Data.Tests.Storage.Checks;

/// <summary>Every promise of a file system that the commit protocol rests on: where it does not hold, it is found, by its name.</summary>
public sealed class CommitProtocolCheckTests : IDisposable
{
    private static readonly Dictionary<string, (string Found, Func<LyingFileSystem> Mine, Func<LyingFileSystem> Theirs)> Lies = new()
    {
        ["creates over what is there"] = Both("exclusive create", () => new CreatesOver()),
        ["creates over what another machine made"] =
            ("exclusive create", () => new LyingFileSystem(), () => new CreatesOver()),
        ["creates nothing"] = Both("exclusive create", () => new CreatesNothing()),
        ["offers no links"] = Both("exclusive link", () => new LinksNothing()),
        ["links over what is there"] = Both("exclusive link", () => new LinksOver()),
        ["links over what another machine made"] = ("exclusive link", () => new LyingFileSystem(), () => new LinksOver()),
        ["gives a name to two who ask at once"] = Both("exclusive link", () => new LinksByLooking()),
        ["copies half where it should link"] = Both("exclusive link", () => new LinksHalf()),
        ["shows a gap while it replaces"] = Both("replacement", () => new ReplacesByRemoving()),
        ["replaces piece by piece"] = Both("replacement", () => new ReplacesInPlace()),
        ["cannot flush a folder"] = Both("flush", () => new FlushesNothing()),
        ["offers no symbolic links"] = Both("symbolic link", () => new LinksNothingSymbolically()),
        ["knows no locks"] = Both("lock", () => new LocksNothing()),
        ["keeps locks to one machine"] = Both("lock", () => new LocksLocally()),
        ["never gives the lock of a killed process back"] = ("lock", () => new LyingFileSystem(), () => new LocksForever()),
        ["remembers what was not there"] = Both("visibility", () => new RemembersAbsence()),
        ["lists late"] = Both("visibility", () => new ListsOnce()),
    };

    private readonly TemporaryFolder folder = new();

    public static TheoryData<string> Names => [.. Lies.Keys];

    public void Dispose() => folder.Dispose();

    [Fact]
    public void An_honest_file_system_is_safe()
    {
        var findings = Run(new LyingFileSystem(), new LyingFileSystem());
        findings.Select(finding => (finding.Name, finding.State)).ShouldBe(
            ((string[])["exclusive create", "exclusive link", "replacement", "flush", "symbolic link", "visibility", "lock"])
                .Select(name => (name, StoreFindingState.Ok)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_lie_is_found(string lie)
    {
        var (found, mine, theirs) = Lies[lie];
        var unsafeOnes = Run(mine(), theirs()).Where(finding => finding.State == StoreFindingState.Unsafe).ToList();
        unsafeOnes.Select(finding => finding.Name).ShouldContain(found);
        unsafeOnes.ShouldAllBe(finding => finding.Remedy!.Length > 0 && finding.Found.Length > 0);
    }

    private IReadOnlyList<StoreFinding> Run(LyingFileSystem mine, LyingFileSystem theirs) =>
        new CommitProtocolCheck(folder.Path, mine, () => new OtherThread(folder.Path, theirs))
            { Patience = TimeSpan.FromMilliseconds(200) }.Run();

    private static (string Found, Func<LyingFileSystem> Mine, Func<LyingFileSystem> Theirs) Both(
        string found, Func<LyingFileSystem> make) => (found, make, make);

    private sealed class CreatesOver : LyingFileSystem
    {
        public override bool TryCreate(string path, string content)
        {
            File.WriteAllText(path, content);
            return true;
        }
    }

    private sealed class CreatesNothing : LyingFileSystem
    {
        public override bool TryCreate(string path, string content) => false;
    }

    private sealed class LinksNothing : LyingFileSystem
    {
        public override bool TryLink(string existing, string path) => throw new IOException("Operation not supported.");
    }

    private sealed class LinksOver : LyingFileSystem
    {
        public override bool TryLink(string existing, string path)
        {
            File.Copy(existing, path, overwrite: true);
            return true;
        }
    }

    // As renaming without replacement is done where the system does not offer it.
    private sealed class LinksByLooking : LyingFileSystem
    {
        public override bool TryLink(string existing, string path)
        {
            if (File.Exists(path)) return false;
            Thread.Sleep(TimeSpan.FromMilliseconds(20));
            File.Copy(existing, path, overwrite: true);
            return true;
        }
    }

    private sealed class LinksHalf : LyingFileSystem
    {
        public override bool TryLink(string existing, string path)
        {
            if (File.Exists(path)) return false;
            File.WriteAllText(path, File.ReadAllText(existing)[..1]);
            return true;
        }
    }

    private sealed class ReplacesByRemoving : LyingFileSystem
    {
        public override void Replace(string path, string content)
        {
            File.Delete(path);
            Thread.Sleep(TimeSpan.FromMilliseconds(5));
            File.WriteAllText(path, content);
        }
    }

    private sealed class ReplacesInPlace : LyingFileSystem
    {
        public override void Replace(string path, string content)
        {
            using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            foreach (char letter in content.Chunk(1024).Select(piece => piece[0]))
            {
                file.Write([.. Enumerable.Repeat((byte)letter, 1024)]);
                Thread.Sleep(TimeSpan.FromMilliseconds(1));
            }
        }
    }

    private sealed class FlushesNothing : LyingFileSystem
    {
        public override void SyncFolder(string folder) => throw new IOException("Invalid argument.");
    }

    private sealed class LinksNothingSymbolically : LyingFileSystem
    {
        public override void LinkSymbolically(string path, string target) => throw new IOException("Operation not permitted.");
    }

    private sealed class LocksNothing : LyingFileSystem
    {
        public override IDisposable? TryLock(string path, bool alone) => new MemoryStream();
    }

    // Each view has locks of its own.
    private sealed class LocksLocally : LyingFileSystem
    {
        private readonly string own = Path.GetRandomFileName();

        public override IDisposable? TryLock(string path, bool alone) => base.TryLock(path + own, alone);
    }

    // Only who is killed holds a lock alone at its end; what it shares it gives back before.
    private sealed class LocksForever : LyingFileSystem
    {
        private static readonly List<IDisposable> Held = [];

        public override IDisposable? TryLock(string path, bool alone)
        {
            var held = base.TryLock(path, alone);
            if (!alone || held is null) return held;
            lock (Held) Held.Add(held);
            return new MemoryStream();
        }
    }

    private sealed class RemembersAbsence : LyingFileSystem
    {
        private readonly HashSet<string> absent = [];

        public override string? Read(string path)
        {
            if (absent.Contains(path)) return null;
            string? read = base.Read(path);
            if (read is null) absent.Add(path);
            return read;
        }
    }

    private sealed class ListsOnce : LyingFileSystem
    {
        private HashSet<string>? listed;

        public override bool Lists(string folder, string name) =>
            (listed ??= [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path))]).Contains(name);
    }
}
