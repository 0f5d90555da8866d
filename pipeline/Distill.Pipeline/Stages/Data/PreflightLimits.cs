using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Storage;

namespace Distill.Pipeline.Stages.Data;

/// <summary>The limits of <c>traces.preflight</c>, and what to do about each.</summary>
internal static class PreflightLimits
{
    private const double Nearly = 0.9;

    /// <returns>What is wrong with its remedy, one text for each limit that is exceeded; none when the run may begin.</returns>
    public static IReadOnlyList<string> Exceeded(PreflightReport report, DistillationRecipe recipe, PreflightSection limits)
    {
        var faults = new List<string>();
        void Check(bool isExceeded, string fault, string limit, string remedy)
        {
            if (isExceeded) faults.Add($"- {fault};\n  traces.preflight.{limit}.\n  {remedy}");
        }

        Check(report.Share(report.Truncated) > limits.MaxTruncation,
            $"{Measured(report, report.Truncated)} reach teacher.max_tokens = {recipe.Teacher.MaxTokens:N0}",
            $"max_truncation allows {limits.MaxTruncation:P0}",
            report.Share(report.Truncated) >= Nearly
                ? "Nearly all do: look whether the teacher ends its replies (its chat template\n"
                    + "  and end tokens), then raise teacher.max_tokens."
                : "Raise teacher.max_tokens, or ask for short steps in prompt.system.");
        Check(report.Share(report.Refused) > limits.MaxRefusals,
            $"{Measured(report, report.Refused)} are refused{Reason(report)}", $"max_refusals allows {limits.MaxRefusals:P0}",
            "Change the problems or prompt.system, or take another teacher.");
        Check(report.Share(report.Undecidable) > limits.MaxUndecidable,
            $"{Measured(report, report.Undecidable)} have answers no verifier can read",
            $"max_undecidable allows {limits.MaxUndecidable:P0}",
            "Say in prompt.system in what form to answer, show it in prompt.examples, or\n  choose another verifier for the problems.");
        Check(report.Share(report.Correct) < limits.MinCorrect,
            $"{Measured(report, report.Correct)} are right", $"min_correct wants {limits.MinCorrect:P0}",
            "Take easier problems or a stronger teacher, show it solved examples in\n"
                + "  prompt.examples, or lower traces.preflight.min_correct.");
        Check(report.RunCost?.High > limits.MaxCost,
            $"The whole run will cost {report.RunCost?.Low:N2} to {report.RunCost?.High:N2}",
            $"max_cost allows {limits.MaxCost:N2}",
            "Lower problems.train or teacher.samples, set traces.accepted_per_problem, or\n"
                + "  let traces.max_cost end it with what there is.");
        return faults;
    }

    private static string Measured(PreflightReport report, int count) =>
        $"{count:N0} of {report.Completions:N0} completions ({report.Between(count)})";

    private static string Reason(PreflightReport report) =>
        report.RefusalReason is { } reason ? $", mostly by {Printable.Quote(reason)}" : "";
}
