using Distill.Evaluation;
using Distill.Evaluation.Statistics;

namespace Distill.Pipeline.Reporting;

/// <summary>What the twins say of a model.</summary>
internal enum TwinVerdict
{
    /// <summary>At most five points lower on twins, and a fall by more than ten is ruled out.</summary>
    Holds,

    /// <summary>More than five points lower, none at all is ruled out.</summary>
    HoldsInPart,

    /// <summary>
    /// Of the twins of what was solved, a third or more are not: what was right was right by chance, even where as many twins as
    /// problems are solved.
    /// </summary>
    FallsApart,

    /// <summary>
    /// At most five points lower, and yet of the twins of what was solved a tenth or more are not: others make up for them, as they do for
    /// somebody who guesses.
    /// </summary>
    Guessed,

    /// <summary>The problems are too few to tell.</summary>
    Unclear,
}

/// <summary>
/// The sentence that a report opens with: what a student learned from steps, and from answers alone, does it hold for twins of the
/// problems? Reasoning carries over to them; pattern matching does not.
/// </summary>
internal static class ReasoningSentence
{
    private const double Near = 0.05, Far = 0.10, Most = 2.0 / 3, NearlyAll = 0.9;
    private const ulong BootstrapSeed = 1;
    private const int Resamples = 2_000;

    private static readonly string[] Ordinals = ["first", "second", "third", "next"];

    /// <summary>Empty where no student was evaluated.</summary>
    public static string Of(RunReport report)
    {
        var models = new ReportModels(report);
        if (models.Line.FirstOrDefault(model => models.RowOf(model.Name) is not null) is not { } steps) return "";
        string[] names = [steps.Name, .. models.Trained.Where(model => model.IsAside).Select(model => model.Name)];
        var measured = names.Select(name => Measure(report, models, name)).OfType<Measured>().ToList();
        if (measured.Count == 0)
            return "Whether the student reasons or matches patterns was not measured: it was not asked twins of the problems.";
        string shares = string.Join("; ", measured.Select((each, i) => Shares(each, i == 0)));
        return $"{shares}: {Conclusion(measured)}.";
    }

    /// <param name="fall">Twins − originals.</param>
    /// <param name="kept">Of the twins of the problems that were solved, the share that is solved too; null where none was.</param>
    public static TwinVerdict Judge(PairedBootstrap fall, PairedBootstrap? kept) => (fall.Mean, fall.Interval) switch
    {
        _ when kept is { Interval.High: < Most } => TwinVerdict.FallsApart,
        ( >= -Near, _) when kept is { Interval.High: < NearlyAll } => TwinVerdict.Guessed,
        ( < -Near, { High: < 0 }) => TwinVerdict.HoldsInPart,
        ( >= -Near, { Low: >= -Far }) => TwinVerdict.Holds,
        _ => TwinVerdict.Unclear,
    };

    /// <summary>
    /// Of the twins of each problem that was solved, the share that is solved too, with its interval over problems; null where nothing was
    /// solved or nothing measured. Somebody who guesses solves as many twins as problems, but others.
    /// </summary>
    public static PairedBootstrap? Kept(ProblemVerdicts? verdicts, string model)
    {
        if (verdicts?.Twinned(model) is not var (originals, twins)) return null;
        double[] kept = [.. twins.Where((_, i) => originals[i] > 0)];
        return kept.Length == 0 ? null : PairedBootstrap.Run(new double[kept.Length], kept, BootstrapSeed, Resamples);
    }

    /// <summary>Twins − originals of one model, every problem that has twins counting once; null where that was not measured.</summary>
    public static PairedBootstrap? Fall(ProblemVerdicts? verdicts, string model) =>
        verdicts?.Twinned(model) is var (originals, twins) ? PairedBootstrap.Run(originals, twins, BootstrapSeed, Resamples) : null;

    private static Measured? Measure(RunReport report, ReportModels models, string name) => models.RowOf(name)?.Twins is { } twins
        ? new Measured(
            models.MeaningOf(name) is { Length: > 0 } meaning ? meaning : $"called {name}", twins, Fall(report.Verdicts, name),
            Kept(report.Verdicts, name))
        : null;

    private static string Shares(Measured model, bool isFirst)
    {
        string original = ReportNumbers.Percent(model.Twins.Original, model.Twins.Problems);
        string perturbed = ReportNumbers.Percent(model.Twins.Perturbed, model.Twins.Problems);
        return isFirst
            ? $"The student {model.Meaning} solves {original} of {ReportNumbers.Count(model.Twins.Problems)} problems and {perturbed} of "
                + $"their twins (the same problems {Changes(model.Twins)})"
            : $"the one {model.Meaning} {original} and {perturbed}";
    }

    private static string Changes(TwinReport twins)
    {
        string[] changes = [.. twins.ByKind.Select(kind => kind.Kind switch
        {
            "renamed" => "with other names and numbers",
            "irrelevant" => "with a clause that changes nothing",
            "unsatisfiable" => "made unsolvable, which is to be said",
            "recomputed" => "with another number and what follows from it",
            var other => $"changed ({other})",
        })];
        return changes.Length < 2 ? string.Concat(changes) : $"{string.Join(", ", changes[..^1])}, or {changes[^1]}";
    }

    // A verdict that all of them share is said once.
    private static string Conclusion(IReadOnlyList<Measured> models)
    {
        string[] ends = [.. models.Select(model => model.Fall is { } fall ? Words(Judge(fall, model.Kept)) : "was not tested")];
        string[] figures = [.. models.Select(Figures)];
        string learned = models.Count == 1 ? $"what it learned {ends[0]}{Bracketed(figures)}"
            : ends.Distinct().Count() == 1 ? $"what each of them learned {ends[0]}{Bracketed(figures)}"
            : string.Join(", ", models.Select((_, i) =>
                $"what the {Ordinals[Math.Min(i, Ordinals.Length - 1)]} learned {ends[i]}{Bracketed(figures[i])}"));
        return $"when the problems change, {learned}";
    }

    private static string Bracketed(params string[] figures) =>
        figures.All(text => text.Length == 0) ? "" : $" ({string.Join("; ", figures)})";

    private static string Words(TwinVerdict verdict) => verdict switch
    {
        TwinVerdict.Holds => "holds within five points",
        TwinVerdict.HoldsInPart => "holds only in part",
        TwinVerdict.FallsApart => "falls apart",
        TwinVerdict.Guessed => "is in part guessed, for it solves twins of problems that it does not solve",
        _ => "may or may not hold, too few were tried to tell",
    };

    private static string Figures(Measured model)
    {
        if (model.Fall is not { } fall) return "";
        int problems = model.Twins.Problems;
        string difference = $"{ReportNumbers.Points(fall.Mean, problems)} points, {ReportNumbers.PointsRange(fall.Interval, problems)}";
        return model.Kept is { } kept
            ? $"{difference}; of the twins of what it solves it solves {ReportNumbers.Percent(kept.Mean, problems)}, "
                + ReportNumbers.Range(kept.Interval, problems)
            : difference;
    }

    private sealed record Measured(string Meaning, TwinReport Twins, PairedBootstrap? Fall, PairedBootstrap? Kept);
}
