using Distill.Storage;

namespace Distill.Data.Tests.Storage;

public sealed class ContainedPathTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("distill-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_file_in_the_folder_is_found()
    {
        Make("model/onnx/a.bin");
        Resolve("model", "onnx/a.bin").ShouldBe(At("model/onnx/a.bin"));
    }

    [Theory]
    [
        InlineData(""), InlineData("../a.bin"), InlineData("/a.bin"), InlineData("onnx//a.bin"), InlineData("./a.bin"),
        InlineData("onnx\\a.bin")]
    [InlineData("c:a.bin"), InlineData("absent.bin"), InlineData("onnx"), InlineData("a\0.bin"), InlineData("\u001b[31m.bin")]
    public void What_leaves_the_folder_or_is_no_file_is_refused(string relative)
    {
        Make("model/onnx/a.bin");
        Make("a.bin");
        string message = Refused("model", relative);
        message.ShouldStartWith("who: ");
        message.ShouldNotContain("\u001b");
        message.ShouldNotContain("\0");
    }

    [Fact]
    public void A_snapshot_of_the_Hugging_Face_cache_is_read_through_its_links()
    {
        Make("models--owner--name/blobs/1f");
        Link("models--owner--name/snapshots/0a/model.onnx", "../../blobs/1f");
        Link("models--owner--name/snapshots/0a/onnx/model.onnx", "../../../blobs/1f");
        Link("models--owner--name/snapshots/0a/absolute.onnx", At("models--owner--name/blobs/1f"));
        foreach (string relative in (string[])["model.onnx", "onnx/model.onnx", "absolute.onnx"])
            Resolve("models--owner--name/snapshots/0a", relative).ShouldBe(At($"models--owner--name/snapshots/0a/{relative}"));
        Resolve("models--owner--name/snapshots/0a/onnx", "model.onnx").ShouldBe(At("models--owner--name/snapshots/0a/onnx/model.onnx"));
        ContainedPath.LengthOf(At("models--owner--name/snapshots/0a/model.onnx")).ShouldBe("models--owner--name/blobs/1f".Length);
        Link("here", At("models--owner--name/snapshots/0a"));
        Resolve("here", "model.onnx").ShouldBe(At("here/model.onnx"));
    }

    [Theory]
    [InlineData("models--o--n/snapshots/0a", "../../../outside")]                // not of the cache
    [InlineData("models--o--n/snapshots/0a", "../../../models--x--y/blobs/2f")]  // of another one
    [InlineData("models--o--n/snapshots/0a", "../../blobs/inner/3f")]            // not right in it
    [InlineData("models--o--n/snapshots/0a", "../../blobs/../../outside")]
    [InlineData("models--o--n/snapshots/0a", "../../blobs/absent")]
    [InlineData("models--o--n/snapshots/0a", "../../blobs/link")]                // a link again
    [InlineData("models--o--n/snapshots/0a", "../0b/plain.bin")]
    [InlineData("models--o--n/refs/0a", "../../blobs/1f")]                       // no snapshot
    [InlineData("name/snapshots/0a", "../../blobs/1f")]                          // no cache
    public void Any_other_link_is_refused(string folder, string target)
    {
        foreach (string cache in (string[])["models--o--n", "name"]) Make($"{cache}/blobs/1f");
        foreach (
            string file in (string[])[
                "outside", "models--x--y/blobs/2f", "models--o--n/blobs/inner/3f", "models--o--n/snapshots/0b/plain.bin"])
            Make(file);
        Link("models--o--n/blobs/link", At("outside"));
        Link($"{folder}/model.onnx", target);
        Refused(folder, "model.onnx").ShouldContain("symbolic link");
    }

    [Fact]
    public void A_folder_of_blobs_that_is_a_link_is_refused()
    {
        Make("elsewhere/1f");
        Link("models--o--n/blobs", At("elsewhere"));
        Link("models--o--n/snapshots/0a/model.onnx", "../../blobs/1f");
        Refused("models--o--n/snapshots/0a", "model.onnx").ShouldContain("symbolic link");
    }

    [Fact]
    public void A_folder_on_the_way_that_is_a_link_is_refused()
    {
        Make("models--o--n/blobs/model.onnx");
        Link("models--o--n/snapshots/0a/onnx", "../../blobs");
        Refused("models--o--n/snapshots/0a", "onnx/model.onnx").ShouldContain("symbolic link");
    }

    private string Resolve(string folder, string relative) => ContainedPath.Resolve(At(folder), relative, "who");

    private string Refused(string folder, string relative) => Should.Throw<InvalidDataException>(() => Resolve(folder, relative)).Message;

    private string At(string path) => Path.Combine(_root, path);

    private void Make(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), path);
    }

    private void Link(string path, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.CreateSymbolicLink(At(path), target);
    }
}
