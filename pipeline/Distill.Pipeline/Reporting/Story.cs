using Distill.Pipeline.Promotions;

namespace Distill.Pipeline.Reporting;

/// <summary>What a run did and what it left, told to somebody who sees such a report for the first time.</summary>
internal static class Story
{
    /// <summary>A paragraph each; none where nothing can be said.</summary>
    public static IReadOnlyList<string> Of(RunReport report)
    {
        var models = new ReportModels(report);
        return [.. new[] { Data(report, models), Product(report) }.Where(text => text.Length > 0)];
    }

    // Where the examples came from and what was trained on them.
    private static string Data(RunReport report, ReportModels models)
    {
        if (report.Curation is not { } curation) return "";
        long all = curation.Kept + curation.Dropped.Values.Sum();
        string kept = all == curation.Kept ? "all of them were kept"
            : $"{ReportNumbers.Count(curation.Kept)} "
            + $"({ReportNumbers.Percent((double)curation.Kept / all, (int)Math.Min(all, int.MaxValue))}) were kept, the others left out as "
            + string.Join(", ", curation.Dropped.OrderByDescending(drop => drop.Value).Select(drop =>
                $"{ReportNumbers.Words(drop.Key)} ({ReportNumbers.Count(drop.Value)})"));
        string teacher = report.Lengths.FirstOrDefault(length => length.AreTraces)?.Model is { } name ? $" by {name}" : "";
        string trainings = string.Join(", ", models.Trained.Where(model => !model.IsAside)
            .Select(model => model.Meaning.Length > 0 ? model.Meaning : model.Name));
        string student = models.Trained.Select(model => models.SizeOf(model.Name)).OfType<ModelSize>().LastOrDefault() is { } size
            ? $" A student of {ReportNumbers.Parameters(size.Parameters)} parameters learned from them"
                + (trainings.Length > 0 ? $": {trainings}." : ".") : "";
        return $"{ReportNumbers.Count(all)} worked solutions{teacher} were checked against the known answers, and {kept}.{student}";
    }

    // What is there to be used, and what it took.
    private static string Product(RunReport report)
    {
        string model = report.Parity switch
        {
            { Passed: true } => "The folder model beside this page is what applications load. It was compared with the trained model"
                + (report.OnnxGreedyAnswersEqual is { Equal: false } answers
                    ? $" and passed: its {report.ExportPrecision ?? "exported"} numbers turn "
                        + $"{ReportNumbers.Count(answers.Problems - answers.IdenticalAnswers)} of {ReportNumbers.Count(answers.Problems)} "
                        + "answers, and what that costs in accuracy is shown below."
                    : " and answers as it does, within the tolerance that is stated below."),
            { Passed: false } => "The exported file is not the trained model, so it is not to be used.",
            null => "",
        };
        string promotion = report.Promotion switch
        {
            { Outcome: PromotionOutcome.Promoted } => " It took the place of the model that applications load.",
            { } => " It did not take the place of the model that applications load.",
            null => "",
        };
        double seconds = report.Stages.Sum(stage => stage.Seconds ?? 0), cost = report.Stages.Sum(stage => stage.Amounts?.Cost ?? 0);
        string bound = report.Stages.Any(stage => stage.IsTimeAtLeast) ? "at least " : "";
        string time = seconds > 0 ? $" Its stages took {bound}{ReportNumbers.Seconds(seconds)}" : "";
        string paid = cost > 0 ? $", and {ReportNumbers.Short(cost)} was paid for tokens" : "";
        return $"{model}{promotion}{time}{(time.Length > 0 ? $"{paid}." : "")}".Trim();
    }
}
