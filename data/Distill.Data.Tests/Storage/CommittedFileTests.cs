using System.Text;
using Distill.Storage;

namespace Distill.Data.Tests.Storage;

public sealed class CommittedFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_committed_file_has_the_reported_content_and_leaves_nothing_else()
    {
        var file = CommittedFile.Write(folder["new/deep/a.txt"], stream => stream.Write("abc"u8), stream => stream.Length * 10);

        file.ShouldBe(new ArtifactFile("a.txt", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 30));
        Directory.GetFileSystemEntries(folder["new/deep"]).ShouldBe([folder["new/deep/a.txt"]]);
        File.ReadAllText(folder["new/deep/a.txt"]).ShouldBe("abc");
    }

    [Fact]
    public void Committing_equal_content_again_succeeds()
    {
        Write("a", "same");

        Write("a", "same").Sha256.ShouldBe(FileDigest.Of("same"u8));
        Directory.GetFiles(folder.Root).Length.ShouldBe(1);
    }

    [Fact]
    public void Other_content_under_a_taken_name_is_a_fault_and_changes_nothing()
    {
        Write("a", "first");

        Should.Throw<CommitConflictException>(() => Write("a", "second")).Message.ShouldContain(FileDigest.Of("first"u8));
        File.ReadAllText(folder["a"]).ShouldBe("first");
        Directory.GetFiles(folder.Root).Length.ShouldBe(1);
    }

    [Fact]
    public void A_writer_that_throws_half_way_leaves_nothing()
    {
        Should.Throw<TimeoutException>(() => CommittedFile.Write(folder["a"], stream =>
        {
            stream.Write("half"u8);
            throw new TimeoutException();
        }));

        Directory.GetFileSystemEntries(folder.Root).ShouldBeEmpty();
    }

    [Fact]
    public void A_file_that_fails_its_count_is_not_committed()
    {
        Should.Throw<InvalidDataException>(() =>
            CommittedFile.Write(folder["a"], stream => stream.Write("x"u8), _ => throw new InvalidDataException("rows missing")));

        Directory.GetFileSystemEntries(folder.Root).ShouldBeEmpty();
    }

    [Fact]
    public void Of_many_writers_with_different_content_exactly_one_wins()
    {
        for (int round = 0; round < 20; round++)
        {
            int won = 0, lost = 0;
            string name = $"race{round}";
            Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, writer =>
            {
                try
                {
                    Write(name, $"content of {writer}");
                    Interlocked.Increment(ref won);
                }
                catch (CommitConflictException)
                {
                    Interlocked.Increment(ref lost);
                }
            });

            (won, lost).ShouldBe((1, 7));
        }
    }

    [Fact]
    public void Of_many_writers_with_equal_content_all_succeed()
    {
        Parallel.For(0, 50, _ => Write("a", "same"));

        Directory.GetFiles(folder.Root).ShouldBe([folder["a"]]);
    }

    [Fact]
    public void Leftovers_of_dead_writers_go_and_files_being_written_stay()
    {
        File.WriteAllText(folder[".a.1-1.tmp"], "left by a kill");
        File.WriteAllText(folder["kept.tmp"], "not ours");

        CommittedFile.Write(folder["b"], stream =>
        {
            stream.Write("b"u8);
            CommittedFile.RemoveLeftovers(folder.Root).ShouldBe(1);
        });

        Directory.GetFiles(folder.Root).Order().ShouldBe([folder["b"], folder["kept.tmp"]]);
    }

    private ArtifactFile Write(string name, string content) => CommittedFile.WriteBytes(folder[name], Encoding.UTF8.GetBytes(content));
}
