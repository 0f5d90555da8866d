using System.Globalization;
using System.Numerics;

namespace Distill.Data.Problems.Families.Zebra;

/// <summary>
/// The trace: for every thing the houses that are left for it. Each clue in turn, and after them each category (its things are in
/// different houses), says for whom fewer are left than before (<c>anna left of cat so anna 1 or 2 , cat 2 or 3</c>), again and again until
/// everything has its house, or until something has none (<c>so no</c>: the clues contradict each other). Only houses that no arrangement
/// allows are taken away, so a trace that settles everything proves that there is no other solution.
/// </summary>
internal sealed class ZebraTrace
{
    private static readonly string[] Categories = ["people", "pets", "drinks"];

    private readonly ZebraContent content;
    private readonly int[] left;
    private readonly List<string>? items;
    private bool isImpossible;
    private bool hasNews;

    /// <param name="writes">Whether the steps are wanted, or only what they come to.</param>
    private ZebraTrace(ZebraContent content, bool writes)
    {
        this.content = content;
        items = writes ? [] : null;
        left = [.. Enumerable.Repeat((1 << content.Houses) - 1, content.Houses * content.Words.Count)];
    }

    /// <summary>The steps, and by thing the house, null when the clues contradict each other.</summary>
    public sealed record Result(string Steps, IReadOnlyList<int>? Houses);

    /// <returns>Null when clues and categories, each looked at by itself, do not decide.</returns>
    public static Result? Write(ZebraContent content)
    {
        var trace = new ZebraTrace(content, writes: true);
        return trace.Run()
            ? new Result(
                string.Join(" ; ", trace.items!),
                trace.isImpossible ? null : [.. trace.left.Select(houses => BitOperations.TrailingZeroCount(houses))])
            : null;
    }

    /// <summary>Whether the trace finds everything's house, without its words.</summary>
    public static bool Settles(ZebraContent content)
    {
        var trace = new ZebraTrace(content, writes: false);
        return trace.Run() && !trace.isImpossible;
    }

    /// <summary>The step that one clue is when nothing is known yet.</summary>
    public static string First(ZebraContent content)
    {
        var trace = new ZebraTrace(content, writes: true);
        trace.Look(() => Say(content, content.Clues[0]), content.Clues[0].Things, trace.Supported(content.Clues[0]));
        return trace.items!.FirstOrDefault() ?? "";
    }

    private bool IsSettled => Array.TrueForAll(left, houses => BitOperations.PopCount((uint)houses) == 1);

    /// <returns>False when nothing more follows and something is open.</returns>
    private bool Run()
    {
        for (hasNews = true; hasNews && !isImpossible && !IsSettled;)
        {
            hasNews = false;
            Pass();
        }

        return isImpossible || IsSettled;
    }

    private void Pass()
    {
        foreach (var clue in content.Clues.TakeWhile(_ => !isImpossible && !IsSettled))
            Look(() => Say(content, clue), clue.Things, Supported(clue));
        for (var category = 0; category < content.Words.Count && !isImpossible && !IsSettled; category++)
        {
            int[] things = [.. Enumerable.Range(category * content.Houses, content.Houses)];
            var supported = new int[things.Length];
            Arrange(things, 0, 0, new int[things.Length], supported);
            var name = Categories[category];
            Look(() => name, things, supported);
        }
    }

    /// <summary>Takes away what is not supported, and writes a step when that is anything.</summary>
    private void Look(Func<string> reason, IReadOnlyList<int> things, int[] supported)
    {
        List<int> changed = [.. Enumerable.Range(0, things.Count).Where(i => supported[i] != left[things[i]])];
        foreach (var i in changed)
            left[things[i]] = supported[i];
        hasNews |= changed.Count > 0;
        isImpossible = supported.Contains(0);
        if (changed.Count == 0 || items is null)
            return;
        var news = changed.Select(i => $"{content.Word(things[i])} {Houses(supported[i])}");
        items.Add($"{reason()} so {(isImpossible ? "no" : string.Join(" , ", news))}");
    }

    private int[] Supported(Clue clue)
    {
        var supported = new int[clue.Things.Count];
        for (var first = 0; first < content.Houses; first++)
        {
            for (var second = 0; second < (clue.IsAboutHouse ? 1 : content.Houses); second++)
            {
                var isLeft = IsLeft(clue.First, first) && (clue.IsAboutHouse || IsLeft(clue.Second, second));
                if (!isLeft || !clue.Holds(first, second))
                    continue;
                supported[0] |= 1 << first;
                if (!clue.IsAboutHouse)
                    supported[1] |= 1 << second;
            }
        }

        return supported;
    }

    /// <summary>All arrangements of a category in the houses that are left.</summary>
    private void Arrange(int[] things, int at, int taken, int[] houses, int[] supported)
    {
        if (at == things.Length)
        {
            for (var i = 0; i < things.Length; i++)
                supported[i] |= 1 << houses[i];
            return;
        }

        for (var house = 0; house < content.Houses; house++)
        {
            if (((taken >> house) & 1) != 0 || !IsLeft(things[at], house))
                continue;
            houses[at] = house;
            Arrange(things, at + 1, taken | (1 << house), houses, supported);
        }
    }

    private bool IsLeft(int thing, int house) => ((left[thing] >> house) & 1) != 0;

    private static string Houses(int set) => string.Join(
        " or ",
        Enumerable.Range(0, 4).Where(house => ((set >> house) & 1) != 0)
            .Select(house => (house + 1).ToString(CultureInfo.InvariantCulture)));

    private static string Say(ZebraContent content, Clue clue)
    {
        var first = content.Word(clue.First);
        return clue.Kind switch
        {
            ClueKind.At => $"{first} at {clue.Second + 1}",
            ClueKind.NotAt => $"{first} not at {clue.Second + 1}",
            ClueKind.Same => $"{first} is {content.Word(clue.Second)}",
            ClueKind.NotSame => $"{first} is not {content.Word(clue.Second)}",
            ClueKind.LeftOf => $"{first} left of {content.Word(clue.Second)}",
            ClueKind.JustLeftOf => $"{first} just left of {content.Word(clue.Second)}",
            _ => $"{first} next to {content.Word(clue.Second)}",
        };
    }
}
