using Amazon.Runtime;
using Amazon.S3;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store.Objects;
using Distill.Storage;
using Distill.Storage.Objects;

namespace Distill.Pipeline.Tests.Store.Objects;

/// <summary>The object store over the network: every operation, and every operation with trouble on the way.</summary>
public sealed class S3ObjectStoreTests : IAsyncLifetime
{
    private const int Piece = 64 << 10;

    private readonly TemporaryFolder folder = new();
    private S3Server server = null!;
    private S3ObjectStore store = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await S3Server.StartAsync();
        store = Open(server);
    }

    public async ValueTask DisposeAsync()
    {
        store.Dispose();
        await server.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public void Objects_are_put_found_read_listed_and_deleted()
    {
        store.Place.ShouldBe("s3://distill/team/a");
        store.Look("x/1", Cancellation).ShouldBeNull();
        store.Read("x/1", 10, Cancellation).ShouldBeNull();
        store.TryPut("x/1", "one"u8.ToArray(), Cancellation).ShouldBeTrue();
        store.TryPut("x/1", "two"u8.ToArray(), Cancellation).ShouldBeFalse();
        store.Read("x/1", 3, Cancellation).ShouldBe("one"u8.ToArray());
        Should.Throw<InvalidDataException>(() => store.Read("x/1", 2, Cancellation));
        store.Put("x/1", "three"u8.ToArray(), Cancellation);
        store.Look("x/1", Cancellation).ShouldNotBeNull().Bytes.ShouldBe(5);
        for (int i = 2; i < 9; i++) store.Put($"x/{i}", ReadOnlyMemory<byte>.Empty, Cancellation);
        store.Put("y/1", ReadOnlyMemory<byte>.Empty, Cancellation);
        store.List("x/", Cancellation).Select(found => found.Name).ShouldBe(Enumerable.Range(1, 8).Select(i => $"x/{i}")); // over pages
        store.Delete("x/1", Cancellation);
        store.Delete("x/1", Cancellation);
        store.List("x/", Cancellation).Count().ShouldBe(7);
        server.ObjectNames.ShouldAllBe(name => name.StartsWith("team/a/", StringComparison.Ordinal));
    }

    /// <summary>Every request fails first, or has its effect and no answer: the second time it succeeds, and the effect is one.</summary>
    [Theory]
    [InlineData(S3Trouble.Error)]
    [InlineData(S3Trouble.LostAnswer)]
    internal void What_fails_once_is_tried_again(S3Trouble trouble)
    {
        string file = folder.File("content", new string('c', 100));
        string sha256 = FileDigest.OfFile(file);
        Action[] requests =
        [
            // Whether its first try put it cannot be told from here: who puts looks at what is there.
            () => store.TryPut("a", "one"u8.ToArray(), Cancellation).ShouldBe(trouble == S3Trouble.Error),
            () => store.Put("b", "two"u8.ToArray(), Cancellation),
            () => store.PutFile("c", file, sha256, Cancellation),
            () => store.Look("a", Cancellation).ShouldNotBeNull().Bytes.ShouldBe(3),
            () => store.Read("b", 100, Cancellation).ShouldBe("two"u8.ToArray()),
            () => store.List("", Cancellation).Count().ShouldBe(3),
            () => store.Delete("c", Cancellation),
        ];
        foreach (var request in requests)
        {
            int first = server.Requests.Count + 1, seen = 0;
            server.Trouble = (_, _, _) => Interlocked.Increment(ref seen) == 1 ? trouble : S3Trouble.None;
            request();
            server.Requests.Count.ShouldBeGreaterThan(first);
        }

        server.ObjectNames.ShouldBe(["team/a/a", "team/a/b"]);
        server.Content("team/a/a").ShouldBe("one"u8.ToArray());
    }

    [Fact]
    public void A_cut_answer_is_gone_on_from_where_it_was_cut()
    {
        byte[] content = new byte[500_000];
        new Random(1).NextBytes(content);
        store.Put("large", content, Cancellation);
        int cuts = 0;
        server.Trouble = (_, method, _) => method == "GET" && ++cuts <= 4 ? S3Trouble.CutAnswer : S3Trouble.None;
        using var target = new MemoryStream();
        store.CopyTo("large", 0, content.Length, target, Cancellation).ShouldBeTrue();
        target.ToArray().ShouldBe(content);
        cuts.ShouldBe(5);
        // Only what was on its way is asked for again, which is the more the busier the machine is. Begun anew each time, it would be four
        // halves and the whole.
        server.Sent.ShouldBeLessThan(content.Length * 3L);
    }

    [Fact]
    public void A_large_file_goes_up_in_pieces_and_an_interrupted_upload_is_gone_on_with()
    {
        string path = folder["large"];
        byte[] content = new byte[(5 * Piece) + 7];
        new Random(2).NextBytes(content);
        File.WriteAllBytes(path, content);
        string sha256 = FileDigest.OfFile(path);
        server.Trouble = (_, _, line) => line.Contains("partNumber=4", StringComparison.Ordinal) ? S3Trouble.Denied : S3Trouble.None;
        Should.Throw<ObjectStoreException>(() => store.PutFile("objects/large", path, sha256, Cancellation))
            .Message.ShouldContain("refused");
        store.Look("objects/large", Cancellation).ShouldBeNull();
        server.Unfinished.ShouldHaveSingleItem();

        int before = server.Requests.Count;
        server.Trouble = (_, _, _) => S3Trouble.None;
        using (var other = Open(server)) other.PutFile("objects/large", path, sha256, Cancellation); // another process, or this one later
        server.Content("team/a/objects/large").ShouldBe(content);
        server.Requests.Skip(before).Count(line => line.Contains("partNumber=", StringComparison.Ordinal)).ShouldBe(3);
        server.Unfinished.ShouldBeEmpty();
    }

    [Fact]
    public void Of_two_who_finish_one_upload_both_succeed_and_what_nobody_finishes_is_given_up()
    {
        string path = folder["large"];
        File.WriteAllBytes(path, new byte[3 * Piece]);
        string sha256 = FileDigest.OfFile(path);
        int finished = 0;
        server.Trouble = (_, method, line) =>
            method == "POST" && line.Contains("uploadId", StringComparison.Ordinal) && ++finished == 1
                ? S3Trouble.LostAnswer : S3Trouble.None;
        store.PutFile("objects/large", path, sha256, Cancellation); // finished, as the second try is told by there being no upload
        server.Content("team/a/objects/large").Length.ShouldBe(3 * Piece);
        server.Trouble = (_, _, line) => line.Contains("partNumber=2", StringComparison.Ordinal) ? S3Trouble.Denied : S3Trouble.None;
        Should.Throw<ObjectStoreException>(() => store.PutFile("objects/other", path, sha256, Cancellation));
        store.AbandonUploads(DateTimeOffset.UtcNow.AddHours(-1), Cancellation).ShouldBe(0);
        store.AbandonUploads(DateTimeOffset.UtcNow.AddHours(1), Cancellation).ShouldBe(1);
        server.Unfinished.ShouldBeEmpty();
    }

    [Fact]
    public void A_server_that_never_answers_is_said_to_be_out_of_reach()
    {
        server.Trouble = (_, _, _) => S3Trouble.LostAnswer;
        Should.Throw<ObjectStoreException>(() => store.Look("a", Cancellation)).Message.ShouldContain("could not be reached");
        Should.Throw<ObjectStoreException>(() => store.Put("a", "x"u8.ToArray(), Cancellation))
            .Message.ShouldContain("could not be reached");
    }

    [Fact]
    public void Content_that_was_changed_on_its_way_is_refused_by_the_server()
    {
        string path = folder.File("content", "as it is");
        string wrong = FileDigest.Of("as it was"u8);
        Should.Throw<ObjectStoreException>(() => store.PutFile("objects/x", path, wrong, Cancellation))
            .Message.ShouldContain("400 (BadDigest)");
    }

    [Fact]
    public async Task A_server_without_conditional_writes_is_refused()
    {
        new SharedStore(store, TimeProvider.System).RequireConditionalWrites(Cancellation);
        server.ObjectNames.ShouldBeEmpty();
        await using var old = await S3Server.StartAsync(ignoresConditions: true);
        using var other = Open(old);
        Should.Throw<UnsafeObjectStoreException>(() => new SharedStore(other, TimeProvider.System).RequireConditionalWrites(Cancellation))
            .Message.ShouldContain("If-None-Match");
    }

    [Fact]
    public void Refusals_say_what_where_and_what_to_do_and_no_secret()
    {
        server.Trouble = (_, _, _) => S3Trouble.Denied;
        var denied = Should.Throw<ObjectStoreException>(() => store.Put("a", "x"u8.ToArray(), Cancellation));
        denied.Message.ShouldContain("Cannot put s3://distill/team/a/a: it was refused (AccessDenied)");
        denied.ToString().ShouldNotContain(S3Server.Secret);
        server.Trouble = (_, _, _) => S3Trouble.None;
        using var elsewhere = Open(server, "nowhere");
        Should.Throw<ObjectStoreException>(() => elsewhere.List("", Cancellation).ToList()).Message.ShouldContain("no such bucket");
        Should.Throw<ObjectStoreException>(() => elsewhere.Put("a", "x"u8.ToArray(), Cancellation)).Message.ShouldContain("no such bucket");
    }

    [Theory]
    [InlineData("s3://bucket", "bucket", "")]
    [InlineData("s3://bucket/", "bucket", "")]
    [InlineData("s3://my.bucket-1/team/a=1/", "my.bucket-1", "team/a=1")]
    public void Addresses_are_read(string text, string bucket, string prefix) =>
        SharedStoreAddress.Parse(text).ShouldBe(new SharedStoreAddress(bucket, prefix));

    [Theory]
    [InlineData("bucket/prefix")]
    [InlineData("s3:/bucket")]
    [InlineData("https://bucket/prefix")]
    [InlineData("s3://Bucket")]
    [InlineData("s3://b")]
    [InlineData("s3://bucket/../other")]
    [InlineData("s3://bucket//a")]
    [InlineData("s3://bucket/a?b")]
    [InlineData("s3://bucket/a b")]
    [InlineData("s3://key:secret@bucket/a")]
    public void What_is_no_address_is_refused_and_no_secret_in_it_repeated(string text)
    {
        string message = Should.Throw<RunRefusedException>(() => SharedStoreAddress.Parse(text)).Message;
        message.ShouldContain("s3://BUCKET/PREFIX");
        message.ShouldNotContain("key:secret");
    }

    private static S3ObjectStore Open(S3Server server, string bucket = S3Server.Bucket) => new(
        new AmazonS3Client(new BasicAWSCredentials(S3Server.Key, S3Server.Secret), new AmazonS3Config
        {
            ServiceURL = server.Address, ForcePathStyle = true, AuthenticationRegion = "us-east-1",
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            RetryMode = RequestRetryMode.Standard, MaxErrorRetry = 4,
        }),
        new SharedStoreAddress(bucket, "team/a"), Piece);
}
