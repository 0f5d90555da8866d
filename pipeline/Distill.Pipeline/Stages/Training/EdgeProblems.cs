using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Stages.Data;
using Distill.Verification;

namespace Distill.Pipeline.Stages.Training;

/// <summary>
/// The training problems at the edge of what a student can do: solved in some of its completions and failed in others, because a group
/// whose completions all earn the same teaches nothing. Found before the first step, in a stage of its own, and not while the training goes
/// on: so the problems of a step stay a function of its number, whatever was drawn before it; a training with other options asks for no
/// completion again; and hopeless problems are left out from the beginning, where counting solved groups would only spare those that
/// come a second time. Immutable.
/// </summary>
/// <param name="Problems">In their order; all, where fewer were found than a step takes.</param>
/// <param name="Found">How many problems lie within the bounds.</param>
/// <param name="Asked">How many were asked.</param>
internal sealed record EdgeProblems(Problem[] Problems, int Found, int Asked)
{
    /// <summary>Reads what the student answered and judges it; warns where it is too little to choose from.</summary>
    /// <param name="train">What is drawn from otherwise.</param>
    /// <param name="step">Problems of one step.</param>
    public static EdgeProblems Read(StageContext context, RecipeVerifiers verifiers, EdgeSection section, Problem[] train, int step)
    {
        List<Trace> traces = [.. context.Input(StudentSamples.EdgeStage).PathsOf(".parquet").SelectMany(TraceFile.ReadTexts)];
        verifiers.Prepare(traces.Select(trace => (trace.Problem, trace.Answer)), traces.Count);
        var rates = traces.GroupBy(trace => trace.Problem.Id).ToDictionary(
            answers => answers.Key,
            answers => answers.Average(trace => IsRight(verifiers, trace) ? 1.0 : 0));
        var edge = Of(train, rates, section.MinPassRate, section.MaxPassRate, step);
        if (edge.Found < step)
        {
            context.Warning(
                $"Only {edge.Found:N0} of {edge.Asked:N0} training problems were solved in {section.MinPassRate:P0} to "
                + $"{section.MaxPassRate:P0} of {section.Samples} completions, fewer than the {step:N0} of one step, so all "
                + $"{train.Length:N0} are drawn from: widen rl.edge.min_pass_rate and rl.edge.max_pass_rate, raise rl.edge.problems or "
                + "rl.edge.samples, or choose problems of another level.");
        }

        return edge;
    }

    /// <param name="rates">Share of right completions by problem id; problems without one were not asked and are not chosen.</param>
    /// <param name="least">What one step takes.</param>
    public static EdgeProblems Of(
        IReadOnlyList<Problem> train, IReadOnlyDictionary<string, double> rates, double lowest, double highest, int least)
    {
        Problem[] found =
            [.. train.Where(problem => rates.TryGetValue(problem.Id, out double rate) && rate >= lowest && rate <= highest)];
        return new EdgeProblems(found.Length < least ? [.. train] : found, found.Length, rates.Count);
    }

    private static bool IsRight(RecipeVerifiers verifiers, Trace trace) =>
        verifiers.All.Of(trace.Problem).Verify(trace.Answer, trace.Problem) == Verdict.Correct;
}
