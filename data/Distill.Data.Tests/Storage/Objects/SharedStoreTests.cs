using System.Text;
using Distill.Storage;
using Distill.Storage.Objects;

namespace Distill.Data.Tests.Storage.Objects;

/// <summary>Machines that share nothing but objects: what one published is whole for the others, whatever was interrupted.</summary>
public sealed class SharedStoreTests : IDisposable
{
    private static readonly StoreKey Key = new("traces", new string('a', 64));

    private readonly TemporaryFolder folder = new();
    private readonly MemoryObjectStore objects = new(TimeProvider.System);
    private readonly List<string> said = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_one_machine_published_another_one_finds_whole()
    {
        var made = Make(Machine("one"));
        var other = Machine("two");
        other.Foresee(Key, Cancellation).ShouldNotBeNull().Artifact.Digest.ShouldBe(made.Artifact.Digest);
        other.Peek(Key).ShouldBeNull();
        Fetch(other).ShouldNotBeNull().Artifact.Digest.ShouldBe(made.Artifact.Digest);
        other.Peek(Key).ShouldNotBeNull().Artifact.Verify().ShouldBeEmpty();
        Fetch(Machine("three"), new StoreKey("traces", new string('b', 64))).ShouldBeNull();
        said.ShouldBeEmpty();
    }

    /// <summary>Interrupted at every request there is, before or after its effect; then asked again.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Interrupted_at_any_request_an_artefact_is_there_whole_or_not_at_all(bool hasEffect)
    {
        int requests = 0;
        for (bool wasInterrupted = true; wasInterrupted; requests++)
        {
            var shared = new MemoryObjectStore(TimeProvider.System);
            var interrupted = new InterruptedObjectStore(shared, requests + 1, hasEffect);
            var machine = Machine($"p{requests}", interrupted);
            var made = Make(machine, publishes: false);
            wasInterrupted = !Succeeds(() => machine.Publish(made, Cancellation));
            RequireWholeOrAbsent(shared, made.Artifact.Digest);
            Machine($"p{requests}", shared).Publish(made, Cancellation);
            RequireWholeOrAbsent(shared, made.Artifact.Digest).ShouldBeTrue();
        }

        requests.ShouldBeGreaterThan(8);
    }

    /// <summary>The same for who brings it: what a cut request brought is gone on from.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Interrupted_while_it_is_brought_an_artefact_is_here_whole_or_not_at_all(bool hasEffect)
    {
        var made = Make(Machine("one"));
        int requests = 0;
        for (bool wasInterrupted = true; wasInterrupted; requests++)
        {
            var machine = Machine($"f{requests}", new InterruptedObjectStore(objects, requests + 1, hasEffect));
            Directory.CreateDirectory(machine.WorkFolder(Key));
            File.WriteAllText(Path.Combine(machine.WorkFolder(Key), "begun"), "unfinished work of this machine");
            wasInterrupted = !Succeeds(() => Fetch(machine));
            if (wasInterrupted)
            {
                machine.Peek(Key).ShouldBeNull();
                File.Exists(Path.Combine(machine.WorkFolder(Key), "begun")).ShouldBeTrue();
            }

            var found = Fetch(Machine($"f{requests}")).ShouldNotBeNull();
            found.Artifact.Digest.ShouldBe(made.Artifact.Digest);
            found.Artifact.Verify().ShouldBeEmpty();
            File.Exists(Path.Combine(found.Artifact.Folder, "begun")).ShouldBeFalse();
        }

        requests.ShouldBeGreaterThan(4);
    }

    [Fact]
    public async Task Of_many_who_publish_the_same_at_once_one_manifest_wins_and_all_succeed()
    {
        var made = Enumerable.Range(0, 8).Select(i => (Machine: Machine($"m{i}"), i)).ToList()
            .ConvertAll(one => (one.Machine, Stored: Make(one.Machine, publishes: false)));
        await Task.WhenAll(made.Select(one => Task.Run(() => one.Machine.Publish(one.Stored, Cancellation))));
        objects.Names.Count(name => name.StartsWith(ObjectNames.Artefacts, StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public void Unequal_artefacts_of_one_key_are_a_fault_and_one_made_on_demand_is_the_next_version()
    {
        var first = Make(Machine("one"));
        var other = Machine("two");
        var conflict = Should.Throw<CommitConflictException>(() => Make(other, content: "another"));
        conflict.Message.ShouldContain("--force");
        conflict.Message.ShouldContain(first.Artifact.Digest);
        other.Peek(Key).ShouldNotBeNull(); // nothing is lost
        var forced = Make(other, content: "a third");
        forced.Version.ShouldBe(2);
        objects.Names.Count(name => name.StartsWith(ObjectNames.Artefacts, StringComparison.Ordinal)).ShouldBe(2);
        Fetch(Machine("three")).ShouldNotBeNull().Artifact.Digest.ShouldBe(forced.Artifact.Digest);
    }

    [Fact]
    public void Who_has_an_earlier_version_goes_on_after_another_machine_published_a_next_one()
    {
        var (one, two) = (Machine("one"), Machine("two"));
        Make(one);
        var earlier = Fetch(two).ShouldNotBeNull();
        Make(one, content: "made anew").Version.ShouldBe(2);
        two.Publish(earlier, Cancellation);
        objects.Names.Count(name => name.StartsWith(ObjectNames.Artefacts, StringComparison.Ordinal)).ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Content_that_went_missing_is_put_again_by_the_next_who_has_the_artefact(bool isShort)
    {
        var one = Machine("one");
        var made = Make(one);
        string name = ObjectNames.Content(made.Artifact.Manifest.Files[0].Sha256);
        objects.Delete(name, Cancellation);
        if (isShort) objects.Put(name, "x"u8.ToArray(), Cancellation);
        Machine("one").Publish(made, Cancellation); // another process
        RequireWholeOrAbsent(objects, made.Artifact.Digest).ShouldBeTrue();
        Fetch(Machine("two")).ShouldNotBeNull();
    }

    /// <summary>Missing, or damaged without a change of its length, which shows only when it is brought.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("xxx")]
    public void A_part_whose_content_cannot_be_had_gives_way_to_the_next_one(string? content)
    {
        Writer(Machine("one")).WritePart("data/1", stream => stream.Write("one"u8));
        string name = ObjectNames.Content(FileDigest.Of("one"u8));
        objects.Delete(name, Cancellation);
        if (content is not null) objects.Put(name, Encoding.UTF8.GetBytes(content), Cancellation);
        var two = Writer(Machine("two"));
        two.WritePart("data/1", stream => stream.Write("other"u8)).Sha256.ShouldBe(FileDigest.Of("other"u8));
        File.ReadAllText(Path.Combine(two.Folder, "data/1")).ShouldBe("other");
        Writer(Machine("three")).TryTake("data/1", said.Add).ShouldNotBeNull().Sha256.ShouldBe(FileDigest.Of("other"u8));
    }

    [Fact]
    public void Damaged_content_is_said_and_not_taken_and_mended_by_who_makes_it_again()
    {
        var made = Make(Machine("one"));
        string name = ObjectNames.Content(made.Artifact.Manifest.Files[0].Sha256);
        objects.Put(name, "something else of any length"u8.ToArray(), Cancellation);
        var other = Machine("two");
        Fetch(other).ShouldBeNull();
        said.ShouldHaveSingleItem().ShouldContain("is damaged");
        Make(other).Artifact.Digest.ShouldBe(made.Artifact.Digest);
        new SharedStore(objects, TimeProvider.System).Verify(
            new SharedStore(objects, TimeProvider.System).Find(Key, said.Add, Cancellation)!, Cancellation).ShouldBeEmpty();
        objects.Delete(name, Cancellation);
        Fetch(Machine("three")).ShouldBeNull();
        said[^1].ShouldContain("is missing");
    }

    [Fact]
    public void A_manifest_that_is_damaged_or_leads_out_of_the_folder_is_none()
    {
        Make(Machine("one"));
        string name = ObjectNames.Manifest(Key, 1);
        byte[] whole = objects.Read(name, 1 << 20, Cancellation)!;
        byte[] bent = [.. whole];
        bent[40] ^= 1;
        objects.Put(name, bent, Cancellation);
        Fetch(Machine("two")).ShouldBeNull();
        said.ShouldHaveSingleItem().ShouldContain("is damaged");
        var hostile = new ArtifactManifest
        {
            Kind = "traces", StageVersion = 1, Files = [new ArtifactFile("../../escaped", 3, FileDigest.Of("abc"u8))],
        };
        objects.Put(ObjectNames.Content(FileDigest.Of("abc"u8)), "abc"u8.ToArray(), Cancellation);
        objects.Put(name, hostile.ToFile(), Cancellation);
        Fetch(Machine("three")).ShouldBeNull();
        said[^1].ShouldContain("leaves the folder");
        Directory.GetFiles(folder.Path, "escaped", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public void Parts_that_one_machine_gave_are_taken_by_another_and_the_first_given_counts()
    {
        var (one, two) = (Machine("one"), Machine("two"));
        var giver = Writer(one);
        giver.WritePart("data/0", stream => stream.Write("zero"u8));
        giver.WritePart("data/1", stream => stream.Write("one"u8));
        var taker = Writer(two);
        taker.TryTake("data/0", said.Add).ShouldNotBeNull().Sha256.ShouldBe(FileDigest.Of("zero"u8));
        File.ReadAllText(Path.Combine(taker.Folder, "data/0")).ShouldBe("zero");
        taker.WritePart("data/1", stream => stream.Write("other"u8)).Sha256.ShouldBe(FileDigest.Of("one"u8)); // made elsewhere before
        File.ReadAllText(Path.Combine(taker.Folder, "data/1")).ShouldBe("one");
        taker.TryTake("data/2", said.Add).ShouldBeNull();
        Writer(two).TryTake("data/1", said.Add).ShouldNotBeNull().Sha256.ShouldBe(FileDigest.Of("one"u8)); // it is in the log
        said.ShouldBeEmpty();
    }

    /// <summary>A part that was committed here and not yet given when its process was killed.</summary>
    [Fact]
    public void A_part_that_was_not_given_is_given_when_it_is_taken_again()
    {
        var one = Machine("one");
        new ArtifactWriter(one.WorkFolder(Key), Key.Kind, 1).WritePart("data/0", stream => stream.Write("zero"u8));
        Writer(Machine("two")).TryTake("data/0", said.Add).ShouldBeNull();
        Writer(one).TryTake("data/0", said.Add).ShouldNotBeNull();
        Writer(Machine("three")).TryTake("data/0", said.Add).ShouldNotBeNull();
    }

    [Fact]
    public void A_store_that_gives_a_name_twice_is_refused()
    {
        new SharedStore(objects, TimeProvider.System).RequireConditionalWrites(Cancellation);
        objects.Names.ShouldBeEmpty();
        var refusal = Should.Throw<UnsafeObjectStoreException>(
            () => new SharedStore(new Unconditional(objects), TimeProvider.System).RequireConditionalWrites(Cancellation));
        refusal.Message.ShouldContain("If-None-Match");
        objects.Names.ShouldBeEmpty();
    }

    private static bool Succeeds(Action request)
    {
        try
        {
            request();
            return true;
        }
        catch (ObjectStoreException)
        {
            return false;
        }
    }

    private bool RequireWholeOrAbsent(MemoryObjectStore shared, string digest)
    {
        var store = new SharedStore(shared, TimeProvider.System);
        if (store.Find(Key, said.Add, Cancellation) is not { } there) return false;
        there.Manifest.Digest.ShouldBe(digest);
        store.Verify(there, Cancellation).ShouldBeEmpty();
        return true;
    }

    private ArtifactStore Machine(string name, IObjectStore? shared = null) => new(folder[$"{name}/.store"], TimeProvider.System)
    {
        Shared = new SharedStore(shared ?? objects, TimeProvider.System),
    };

    private ArtifactWriter Writer(ArtifactStore store) => new(store.WorkFolder(Key), Key.Kind, 1)
    {
        Parts = store.PartsOf(Key, said.Add, Cancellation),
    };

    private StoredArtifact? Fetch(ArtifactStore store, StoreKey? key = null)
    {
        using var right = store.Lock(key ?? Key, "a test", _ => { }, Cancellation);
        return store.Fetch(key ?? Key, said.Add, Cancellation);
    }

    private static StoredArtifact Make(ArtifactStore store, bool publishes = true, string content = "content")
    {
        string work = store.WorkFolder(Key);
        var writer = new ArtifactWriter(work, Key.Kind, 1);
        writer.Write("README.md", Encoding.UTF8.GetBytes(content));
        writer.Write("data/train-00000.parquet", Encoding.UTF8.GetBytes(new string('x', 10_000)));
        writer.Write("empty", ReadOnlyMemory<byte>.Empty);
        writer.Commit();
        var made = store.Finished(work);
        if (publishes) store.Publish(made, Cancellation);
        return made;
    }

    private sealed class Unconditional(IObjectStore inner) : IObjectStore
    {
        public string Place => inner.Place;

        public StoredObject? Look(string name, CancellationToken cancellation) => inner.Look(name, cancellation);

        public bool TryPut(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
        {
            inner.Put(name, content, cancellation);
            return true;
        }

        public void Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
            inner.Put(name, content, cancellation);

        public void PutFile(string name, string path, string sha256, CancellationToken cancellation) =>
            inner.PutFile(name, path, sha256, cancellation);

        public byte[]? Read(string name, int most, CancellationToken cancellation) => inner.Read(name, most, cancellation);

        public bool CopyTo(string name, long offset, long most, Stream target, CancellationToken cancellation) =>
            inner.CopyTo(name, offset, most, target, cancellation);

        public IEnumerable<StoredObject> List(string prefix, CancellationToken cancellation) => inner.List(prefix, cancellation);

        public void Delete(string name, CancellationToken cancellation) => inner.Delete(name, cancellation);

        public int AbandonUploads(DateTimeOffset before, CancellationToken cancellation) => inner.AbandonUploads(before, cancellation);

        public void Dispose() => inner.Dispose();
    }
}
