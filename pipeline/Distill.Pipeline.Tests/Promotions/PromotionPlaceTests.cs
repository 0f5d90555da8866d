using System.Collections.Concurrent;
using Distill.Pipeline.Promotions;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Storage;

namespace Distill.Pipeline.Tests.Promotions;

/// <summary>What applications find in the place, at any moment, after any kill, whoever else promotes.</summary>
public sealed class PromotionPlaceTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public static TheoryData<bool> Kinds => OperatingSystem.IsLinux() ? [false, true] : [false];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Versions_follow_one_another_the_last_are_kept_and_one_can_go_back(bool isFolder)
    {
        var kind = KindOf(isFolder);
        for (int night = 1; night <= 5; night++) Promote(kind, $"model {night}", keep: 2);
        using (var place = Open(kind))
        {
            place.All().ShouldBe([3, 4, 5]);
            place.Current.ShouldBe(5);
            Shown().ShouldBe("model 5");
            place.Back().ShouldBe((5, 4));
            Shown().ShouldBe("model 4");
            place.WasWithdrawn("model 5").ShouldBeTrue();
            place.Back().ShouldBe((4, 3));
            Should.Throw<RunRefusedException>(() => place.Back()).Message.ShouldContain("no earlier one is kept");
        }

        Promote(kind, "model 6", keep: 2).ShouldBe(6);
        using var later = Open(kind);
        later.Back().ShouldBe((6, 3)); // over those that were taken out
        Shown().ShouldBe("model 3");
        later.Forgive("model 5");
        later.WasWithdrawn("model 5").ShouldBeFalse();
    }

    [Fact]
    public void What_was_taken_out_does_not_come_back_as_an_earlier_version_of_the_same_model()
    {
        foreach (string model in (string[])["first", "bad", "good", "bad"]) Promote(PlaceKind.Link, model);
        using (var place = Open(PlaceKind.Link))
        {
            place.Back().ShouldBe((4, 3));
            place.Back().ShouldBe((3, 1)); // over version 2, which is the bad one too
            Shown().ShouldBe("first");
        }

        foreach (string model in (string[])["same", "same"]) Promote(PlaceKind.Link, model);
        using var later = Open(PlaceKind.Link);
        later.Back().ShouldBe((6, 1));
    }

    /// <summary>
    /// A kill at every step: nothing here cleans up behind an exception, so that ending a change at a step leaves what a kill leaves there.
    /// </summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Killed_at_any_step_the_place_shows_the_old_or_the_new_and_the_next_one_goes_on(bool isFolder)
    {
        var kind = KindOf(isFolder);
        foreach (var step in Enum.GetValues<PromotionStep>())
        {
            string path = Path.Combine(folder.Path, $"{step}");
            Promote(kind, "old", path: path);
            bool reached = Killed(step, at => Promote(kind, "new", path: path, reached: at));
            bool isNew = !reached || step is PromotionStep.Shown or PromotionStep.Prune or PromotionStep.Done;
            Shown(path).ShouldBe(isNew ? "new" : "old", $"{step}");
            Promote(kind, "newer", path: path);
            Shown(path).ShouldBe("newer");
            using var place = Open(kind, path);
            foreach (int number in place.All()) place.Read(number).Number.ShouldBe(number); // whole, each of them
            string[] shown = [.. place.All().Select(number => place.Read(number).Model)];
            shown.ShouldBe(isNew ? ["old", "new", "newer"] : ["old", "newer"], $"{step}"); // what was never shown is nothing to go back to
            Leftovers(path).ShouldBeEmpty($"{step}");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Killed_while_going_back_the_next_one_ends_it(bool isFolder)
    {
        var kind = KindOf(isFolder);
        PromotionStep[] steps = [PromotionStep.Mark, PromotionStep.Fresh, PromotionStep.Switch, PromotionStep.Shown, PromotionStep.Done];
        foreach (var step in steps)
        {
            string path = Path.Combine(folder.Path, $"back-{step}");
            Promote(kind, "old", path: path);
            Promote(kind, "new", path: path);
            if (!Killed(step, at => Back(kind, path, at))) continue; // a link is filled in no step
            (Shown(path) is "old" or "new").ShouldBeTrue($"{step}");
            using var place = Open(kind, path);
            Shown(path).ShouldBe(step == PromotionStep.Mark ? "new" : "old", $"{step}"); // nothing was marked: nothing was asked for
            place.Read(place.Current!.Value).Model.ShouldBe(Shown(path));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Readers_find_a_whole_model_while_it_is_replaced(bool isFolder)
    {
        var kind = KindOf(isFolder);
        Promote(kind, "model 0");
        using var end = new CancellationTokenSource();
        var torn = new ConcurrentBag<string>();
        long reads = 0;
        var reader = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                // As an application should: the link is followed once, then all files are taken from where it led.
                string place = new DirectoryInfo(Place).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Place;
                try
                {
                    if (!File.ReadAllText(Path.Combine(place, "weights")).StartsWith("model", StringComparison.Ordinal)) torn.Add(place);
                }
                catch (IOException fault)
                {
                    torn.Add(fault.Message);
                }

                Interlocked.Increment(ref reads);
            }
        });
        for (int night = 1; night <= 40; night++) Promote(kind, $"model {night}", keep: 50);
        while (Interlocked.Read(ref reads) < 100) await Task.Delay(1, TestContext.Current.CancellationToken);
        await end.CancelAsync();
        await reader;
        torn.ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_promotions_at_once_come_one_after_the_other()
    {
        var numbers = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(i => Task.Run(() => Promote(PlaceKind.Link, $"model {i}", keep: 9))));
        numbers.Order().ShouldBe([1, 2, 3, 4, 5, 6]);
        using var place = Open(PlaceKind.Link);
        place.All().Count.ShouldBe(6);
        Shown().ShouldBe(place.Read(6).Model);
    }

    /// <summary>One file with two names where that can be, else a copy: applications see no difference.</summary>
    [Fact]
    public void Files_of_another_file_system_are_copied_and_those_of_one_are_shared()
    {
        string source = folder.File("from/weights", "model");
        foreach (string root in ((string[])[folder.Path, "/dev/shm"]).Where(Directory.Exists))
        {
            string target = Path.Combine(root, $"distill-{Guid.NewGuid():N}");
            try
            {
                PlacedFiles.TakeFolder(Path.GetDirectoryName(source)!, target);
                string taken = Path.Combine(target, "weights");
                File.ReadAllText(taken).ShouldBe("model");
                Should.Throw<IOException>(() => PlacedFiles.Take(source, taken)); // a name that is taken is not written over
                if (!OperatingSystem.IsLinux()) continue;
                var (first, second) = (NativeFile.Status(source)!.Value, NativeFile.Status(taken)!.Value);
                (first.Inode == second.Inode && first.Device == second.Device).ShouldBe(first.Device == second.Device, root);
            }
            finally
            {
                Directory.Delete(target, recursive: true);
            }
        }
    }

    [Fact]
    public void What_somebody_else_put_there_is_left_alone()
    {
        folder.File("mine/readme.txt", "precious");
        Should.Throw<RunRefusedException>(() => Open(PlaceKind.Link).Dispose()).Message.ShouldContain("was not promoted by this program");
        File.ReadAllText(Path.Combine(Place, "readme.txt")).ShouldBe("precious");
        Directory.Delete(Place, recursive: true);
        Promote(PlaceKind.Link, "model");
        if (!OperatingSystem.IsLinux()) return;
        Should.Throw<RunRefusedException>(() => Open(PlaceKind.Folder).Dispose()).Message.ShouldContain("is a link");
    }

    private static PlaceKind KindOf(bool isFolder) => isFolder ? PlaceKind.Folder : PlaceKind.Link;

    private string Place => Path.Combine(folder.Path, "mine");

    private PromotionPlace Open(PlaceKind kind, string? path = null, Action<PromotionStep>? reached = null) =>
        PromotionPlace.Open(path ?? Place, kind, "a test", _ => { }, TestContext.Current.CancellationToken, reached);

    private int Promote(PlaceKind kind, string model, int keep = 3, string? path = null, Action<PromotionStep>? reached = null)
    {
        using var place = Open(kind, path, reached);
        return place.Promote(keep, (target, number) =>
        {
            Directory.CreateDirectory(Path.Combine(target, PromotedVersion.ModelFolder));
            foreach (string file in (string[])["weights", "distill.json"])
                File.WriteAllText(Path.Combine(target, PromotedVersion.ModelFolder, file), model);
            var report = new PromotionReport(PromotionOutcome.Promoted, "mine", number, null, "", []);
            return new PromotedVersion(number, model, "run", "runs", DateTimeOffset.UnixEpoch, "{}", "", report);
        }).Number;
    }

    private void Back(PlaceKind kind, string path, Action<PromotionStep> reached)
    {
        using var place = Open(kind, path, reached);
        place.Back();
    }

    private string Shown(string? path = null) => File.ReadAllText(Path.Combine(path ?? Place, "weights"));

    private static IEnumerable<string> Leftovers(string path) => Directory.EnumerateDirectories(path + ".versions")
        .Select(found => Path.GetFileName(found)!).Where(name => !name.All(char.IsAsciiDigit));

    /// <returns>Whether the step was come to.</returns>
    private static bool Killed(PromotionStep step, Action<Action<PromotionStep>> change)
    {
        try
        {
            change(at =>
            {
                if (at == step) throw new KilledException();
            });
            return false;
        }
        catch (KilledException)
        {
            return true;
        }
    }

    private sealed class KilledException : Exception;
}
