using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Distill.Data.Problems;
using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Reporting;

/// <summary>
/// Who solved which problem, in a few kilobytes: with it reports are compared problem by problem when the runs are long gone.
/// </summary>
/// <param name="Problems">How many. A problem's place is that of its id among all ids in ordinal order.</param>
/// <param name="Digest">SHA-256 of those ids, one a line: reports with equal digests speak of the same problems at the same places.</param>
/// <param name="TwinsOf">
/// The place of each twin's original, parted by blanks; twins in the ordinal order of their ids. Empty without twins.
/// </param>
/// <param name="TwinsDigest">The same as <paramref name="Digest"/> for the twins; empty without them.</param>
internal sealed record ProblemVerdicts(
    int Problems, string Digest, string TwinsOf, string TwinsDigest, IReadOnlyList<ModelVerdicts> Models)
{
    /// <param name="sheets">Every model's answers, twins included, and how many samples were drawn of each problem.</param>
    /// <returns>Null where no model was evaluated.</returns>
    /// <exception cref="InvalidOperationException">The models were asked different problems.</exception>
    public static ProblemVerdicts? Of(IReadOnlyList<(string Model, int Samples, IReadOnlyList<SheetAnswer> Answers)> sheets)
    {
        if (sheets.Count == 0) return null;
        string[] ids = Ids(sheets[0].Answers, originals: true), twins = Ids(sheets[0].Answers, originals: false);
        foreach (var (model, _, answers) in sheets)
        {
            if (!Ids(answers, originals: true).SequenceEqual(ids) || !Ids(answers, originals: false).SequenceEqual(twins))
                throw new InvalidOperationException($"'{model}' was asked other problems than '{sheets[0].Model}'.");
        }

        var places = twins.Select(twin => Array.BinarySearch(ids, ProblemId.TryParseTwin(twin)!.Value.Original, Ordinal));
        return new(
            ids.Length, DigestOf(ids), string.Join(' ', places), twins.Length == 0 ? "" : DigestOf(twins),
            [.. sheets.Select(sheet => ModelVerdicts.Of(sheet.Model, sheet.Samples, sheet.Answers, ids, twins))]);
    }

    /// <summary>Whether each problem is solved greedily, 0 or 1; null for a model that was not evaluated.</summary>
    public IReadOnlyList<double>? Greedy(string model) => Find(model) is { } found ? ModelVerdicts.Bits(found.Greedy) : null;

    /// <summary>Share of right samples of each problem; null where none were drawn.</summary>
    public IReadOnlyList<double>? Sampled(string model) => Find(model) is { Samples: > 0 } found
        ? [.. Numbers(found.Sampled).Select(right => (double)right / found.Samples)] : null;

    /// <summary>
    /// For each problem that has twins, whether it is solved greedily, and the share of its twins that are; null without twins.
    /// </summary>
    public (IReadOnlyList<double> Originals, IReadOnlyList<double> Twins)? Twinned(string model)
    {
        if (Find(model) is not { Twins.Length: > 0 } found) return null;
        double[] originals = ModelVerdicts.Bits(found.Greedy), twins = ModelVerdicts.Bits(found.Twins);
        var groups = Numbers(TwinsOf).Index().GroupBy(pair => pair.Item, pair => twins[pair.Index]).OrderBy(group => group.Key).ToList();
        return ([.. groups.Select(group => originals[group.Key])], [.. groups.Select(group => group.Average())]);
    }

    private static StringComparer Ordinal => StringComparer.Ordinal;

    private ModelVerdicts? Find(string model) => Models.FirstOrDefault(each => each.Model == model);

    private static string[] Ids(IEnumerable<SheetAnswer> answers, bool originals) =>
        [.. answers.Where(answer => answer.IsOriginal == originals).Select(answer => answer.ProblemId).Order(Ordinal)];

    private static IEnumerable<int> Numbers(string text) =>
        text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => int.Parse(word, CultureInfo.InvariantCulture));

    private static string DigestOf(IEnumerable<string> ids) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(ids.Select(id => id + "\n")))));
}

/// <summary>One model's part of <see cref="ProblemVerdicts"/>.</summary>
/// <param name="Greedy">A character a problem: 1 where the greedy answer is right, else 0.</param>
/// <param name="Samples">Drawn of each problem.</param>
/// <param name="Sampled">How many of them are right, problem by problem, parted by blanks; empty without samples.</param>
/// <param name="Twins">As <paramref name="Greedy"/>, for the twins; empty without them.</param>
internal sealed record ModelVerdicts(string Model, string Greedy, int Samples, string Sampled, string Twins)
{
    public static ModelVerdicts Of(string model, int samples, IReadOnlyList<SheetAnswer> answers, string[] ids, string[] twins)
    {
        var byId = answers.ToDictionary(answer => answer.ProblemId, StringComparer.Ordinal);
        bool isSampled = samples > 0 && ids.All(id => byId[id].Sampled is not null);
        return new(
            model, Bits(ids.Select(id => byId[id].Greedy)), isSampled ? samples : 0,
            isSampled ? string.Join(' ', ids.Select(id => (int)Math.Round(byId[id].Sampled!.Value * samples))) : "",
            Bits(twins.Select(id => byId[id].Greedy)));
    }

    public static double[] Bits(string text) => [.. text.Select(bit => bit == '1' ? 1.0 : 0)];

    private static string Bits(IEnumerable<bool> verdicts) => string.Concat(verdicts.Select(isRight => isRight ? '1' : '0'));
}
