using Distill.Storage;

namespace Distill.Data.Tests.Storage;

public sealed class ArtifactTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_folder_without_a_manifest_is_not_an_artefact()
    {
        Writer().Write("a.txt", "a"u8.ToArray());

        Artifact.TryOpen(folder.Root).ShouldBeNull();
        Should.Throw<InvalidDataException>(() => Artifact.Open(folder.Root)).Message.ShouldContain(folder.Root);
    }

    [Fact]
    public void A_committed_folder_opens_verifies_and_has_the_digest_of_its_content()
    {
        var artifact = Committed();

        var opened = Artifact.Open(folder.Root);
        opened.Digest.ShouldBe(artifact.Digest);
        opened.Verify().ShouldBeEmpty();
        File.ReadAllText(opened.PathOf("sub/b.txt")).ShouldBe("bb");
        opened.Manifest.Facts["tokens"].ShouldBe("12");
        opened.Manifest.Parents.ShouldBe([new string('e', 64)]);
    }

    [Fact]
    public void The_order_of_writing_does_not_change_the_digest()
    {
        var one = new ArtifactManifest { Kind = "k", StageVersion = 1, Files = [Entry("a"), Entry("b")], Parents = [Hex('1'), Hex('2')] };
        var two = new ArtifactManifest { Kind = "k", StageVersion = 1, Files = [Entry("b"), Entry("a")], Parents = [Hex('2'), Hex('1')] };

        two.Digest.ShouldBe(one.Digest);
        (one with { StageVersion = 2 }).Digest.ShouldNotBe(one.Digest);
    }

    [Fact]
    public void Committing_the_same_artefact_again_changes_nothing()
    {
        string digest = Committed().Digest;

        Committed().Digest.ShouldBe(digest);
        Directory.GetFiles(folder.Root, "manifest-*").Length.ShouldBe(1);
    }

    [Fact]
    public void Another_artefact_in_the_same_folder_needs_to_be_asked_for()
    {
        Committed();
        var grown = Writer();
        grown.Add("a.txt");
        grown.Write("c.txt", "ccc"u8.ToArray());

        Should.Throw<CommitConflictException>(() => grown.Commit());
        grown.Commit(replace: true);

        Artifact.Open(folder.Root).Manifest.Files.Select(file => file.Path).ShouldBe(["a.txt", "c.txt"]);
    }

    [Fact]
    public void Files_the_manifest_does_not_name_do_not_exist_for_readers()
    {
        var artifact = Committed();
        File.WriteAllText(folder["stray.txt"], "stray");

        Should.Throw<InvalidDataException>(() => artifact.PathOf("stray.txt")).Message.ShouldContain("stray.txt");
    }

    [Fact]
    public void Every_flipped_bit_of_every_file_is_detected()
    {
        var artifact = Committed();
        foreach (var file in artifact.Manifest.Files)
        {
            string path = folder[file.Path];
            byte[] original = File.ReadAllBytes(path);
            for (int bit = 0; bit < original.Length * 8; bit++)
            {
                byte[] flipped = [.. original];
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                File.WriteAllBytes(path, flipped);
                Artifact.Open(folder.Root).Verify().Single().ShouldContain(path);
                Should.Throw<InvalidDataException>(() => Artifact.Open(folder.Root).PathOf(file.Path));
            }

            File.WriteAllBytes(path, original);
        }

        Artifact.Open(folder.Root).Verify().ShouldBeEmpty();
    }

    [Fact]
    public void Missing_and_shortened_files_are_named()
    {
        var artifact = Committed();
        File.Delete(folder["a.txt"]);
        File.WriteAllText(folder["sub/b.txt"], "b");

        artifact.Verify().ShouldBe([$"'{folder["a.txt"]}' is missing.", $"'{folder["sub/b.txt"]}' has 1 bytes; 2 were committed."]);
    }

    [Theory]
    [InlineData("../a")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../b")]
    [InlineData("a\\b")]
    [InlineData("C:a")]
    [InlineData("a//b")]
    [InlineData("")]
    public void A_manifest_cannot_point_outside_its_folder(string path)
    {
        byte[] json = new ArtifactManifest { Kind = "k", StageVersion = 1, Files = [Entry(path)] }.ToBytes();

        Should.Throw<InvalidDataException>(() => ArtifactManifest.Parse(json, "evil.json")).Message.ShouldStartWith("'evil.json'");
        Should.Throw<ArgumentException>(() => Writer().Write(path, "x"u8.ToArray()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"kind":"k","kind":"l","stage_version":1,"files":[]}""")]
    [InlineData("""{"kind":"k","stage_version":1,"files":null}""")]
    [InlineData("""{"kind":"k","stage_version":1,"files":[null]}""")]
    [InlineData("""{"kind":"k","stage_version":1,"files":[{"path":"a","bytes":1,"sha256":"abc"}]}""")]
    [InlineData("""{"kind":"k","stage_version":1,"files":[{"path":null,"bytes":1,"sha256":"abc"}]}""")]
    [InlineData("""{"kind":"k","stage_version":1,"files":[],"surprise":1}""")]
    public void What_is_not_a_manifest_is_refused_by_name(string json)
    {
        File.WriteAllText(folder["manifest-0001.json"], json);

        Should.Throw<InvalidDataException>(() => Artifact.Open(folder.Root)).Message.ShouldContain("manifest-0001.json");
    }

    [Fact]
    public void Removing_takes_the_manifest_first_and_then_everything()
    {
        Committed();

        Artifact.Remove(folder.Root);

        Directory.Exists(folder.Root).ShouldBeFalse();
        Directory.CreateDirectory(folder.Root);
    }

    private static string Hex(char digit) => new(digit, 64);

    private static ArtifactFile Entry(string path) => new(path, 1, Hex('0'));

    private ArtifactWriter Writer() => new(folder.Root, "test", 1, [Hex('e')]);

    private Artifact Committed()
    {
        var writer = Writer();
        writer.Write("a.txt", "a"u8.ToArray());
        writer.Write("sub/b.txt", "bb"u8.ToArray());
        writer.Fact("tokens", "12");
        return writer.Commit();
    }
}
