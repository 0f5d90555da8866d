using Distill.Storage;
using Distill.Teacher.Remote.Collection;

namespace Distill.Teacher.Remote.Tests.Collection;

public sealed class CompletionStoreTests : IDisposable
{
    private static readonly string Request = FileDigest.Of("request"u8);
    private static readonly StoredCompletion Completion = new("why\0\ud83d\ude00", "12 <b>", "stop", 3, 4);

    private readonly string folder = Directory.CreateTempSubdirectory("distill-test-").FullName;

    private CompletionStore Store => new(folder);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void What_is_kept_is_found_by_any_store_of_the_folder()
    {
        Store.Find(Request).ShouldBeNull();
        Store.Keep(Request, Completion).ShouldBe(Completion);
        Store.Find(Request).ShouldBe(Completion);
        Store.Find(FileDigest.Of("another"u8)).ShouldBeNull();
    }

    [Fact]
    public void The_first_completion_of_a_request_stays()
    {
        Store.Keep(Request, Completion);
        Store.Keep(Request, Completion with { Text = "13" }).ShouldBe(Completion);
    }

    [Fact]
    public void No_damage_goes_unnoticed()
    {
        Store.Keep(Request, Completion);
        string path = Directory.GetFiles(folder, "*.json", SearchOption.AllDirectories).ShouldHaveSingleItem();
        byte[] whole = File.ReadAllBytes(path);
        for (int i = 0; i < whole.Length; i++)
        {
            byte[] changed = [.. whole];
            changed[i] ^= 1;
            File.WriteAllBytes(path, changed);
            Store.Find(Request).ShouldBeNull($"byte {i}");
            File.Exists(path).ShouldBeFalse();
        }

        File.WriteAllBytes(path, whole[..^5]);
        Store.Keep(Request, Completion with { Text = "13" }).Text.ShouldBe("13");
    }

    [Fact]
    public void Nothing_but_a_digest_names_a_file() =>
        Should.Throw<ArgumentException>(() => Store.Find("../../etc/passwd"));
}
