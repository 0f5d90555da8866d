using Distill.Storage;

namespace Distill.Data.Tests.Storage;

public sealed class OptionalFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_file_is_read_whole_or_is_not_there()
    {
        string path = Path.Combine(folder.Path, "note");
        OptionalFile.TryRead(path).ShouldBeNull();
        OptionalFile.TryRead(Path.Combine(path, "in", "no", "folder")).ShouldBeNull();
        File.WriteAllBytes(path, [1, 2, 3]);
        OptionalFile.TryRead(path).ShouldBe([1, 2, 3]);
        OptionalFile.TryRead(path, most: 3).ShouldBe([1, 2, 3]);
        OptionalFile.TryRead(path, most: 2).ShouldBeNull();
        File.WriteAllBytes(path, []);
        OptionalFile.TryRead(path).ShouldBe([]);
    }

    /// <summary>One removes the folder again and again, the other never learns of it but by finding nothing.</summary>
    [Fact]
    public async Task Whoever_comes_while_it_is_removed_finds_nothing()
    {
        string inside = Path.Combine(folder.Path, "run"), path = Path.Combine(inside, "run.json");
        byte[] text = [.. Enumerable.Range(0, 1000).Select(value => (byte)value)];
        using var over = new CancellationTokenSource();
        var remover = Task.Run(() =>
        {
            for (int turn = 0; turn < 2000; turn++)
            {
                Directory.CreateDirectory(inside);
                ReplacedFile.Write(path, text);
                Directory.Delete(inside, recursive: true);
            }

            over.Cancel();
        }, TestContext.Current.CancellationToken);
        int found = 0;
        while (!over.IsCancellationRequested)
        {
            OptionalFolder.Files(inside, "*.json").Count.ShouldBeInRange(0, 1);
            OptionalFolder.Folders(inside).ShouldBeEmpty();
            if (OptionalFile.TryRead(path) is not { } read) continue;
            read.ShouldBe(text);
            found++;
        }

        await remover;
        found.ShouldBeGreaterThan(0);
    }
}
