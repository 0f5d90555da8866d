using Distill.Evaluation;

namespace Distill.Pipeline.Reporting.Page;

/// <summary>Each kind of perturbation, pair by pair.</summary>
internal static class TwinSection
{
    public static Html Of(RunReport report)
    {
        var rows = ModelNames.Sorted(report).Where(row => row.Twins is not null)
            .SelectMany(row => row.Twins!.ByKind.Select(kind => (row.Model, Kind: kind))).ToList();
        return Html.If(rows.Count > 0, () => Parts.Section(
            "Perturbation twins",
            "The same problem with other names and numbers (renamed), with a clause that changes nothing (irrelevant), "
            + "or made unsolvable, which the model must say (unsatisfiable). "
            + "Reasoning carries over; pattern matching does not. p: exact McNemar test of original and twin being solved equally often.",
            Parts.Table(
                ["twin", "model", "pairs", "original", "twin", "only original", "only twin", "p"],
                rows.GroupBy(row => row.Kind.Kind).SelectMany(group => group.Select((row, i) => Row(i == 0 ? group.Key : "", row.Model, row.Kind))),
                "model")));
    }

    private static Html Row(string head, string model, TwinKindReport kind) => Parts.Row(
        Html.Of($"{head}"),
        Html.Of($"<td class=\"words\">{Parts.Model(model)}</td>"),
        Parts.Cell(ReportNumbers.Count(kind.Pairs)),
        Parts.Share(kind.Original, kind.Pairs),
        Parts.Share(kind.Perturbed, kind.PerturbedInterval95, kind.Pairs),
        Parts.Cell(ReportNumbers.Count(kind.OnlyOriginal)),
        Parts.Cell(ReportNumbers.Count(kind.OnlyPerturbed)),
        Html.Of($"<td class=\"{Class(kind)}\">{ReportNumbers.P(kind.McNemarP)}</td>"));

    private static string Class(TwinKindReport kind) => kind.McNemarP >= 0.05 ? "open" : kind.OnlyOriginal > kind.OnlyPerturbed ? "bad" : "good";
}
