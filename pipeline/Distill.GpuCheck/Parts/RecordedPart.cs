using System.Text.Json.Nodes;
using Distill.Generation;

namespace Distill.GpuCheck.Parts;

/// <summary>
/// Steps whose kernels the provider recorded once and repeats, against steps whose kernels it starts one by one: the same greedy tokens,
/// and how much faster.
/// </summary>
internal sealed class RecordedPart : ICheckPart
{
    public string Name => "recorded";

    public string Question => "do recorded steps (CUDA graphs) choose the same tokens, and how much faster?";

    public int Limit => 40;

    public PartResult Run(CheckContext context)
    {
        int tokens = context.IsSmall ? 8 : 96;
        int[] slots = context.IsSmall ? [1, 3] : [1, 8, 32];
        var started = Complete(context, slots, tokens, recorded: false);
        var recorded = Complete(context, slots, tokens, recorded: true);
        var figures = new JsonObject();
        bool same = true;
        for (int i = 0; i < slots.Length; i++)
        {
            int apart = started[i].Tokens.Zip(recorded[i].Tokens).Count(rows => !rows.First.AsSpan().SequenceEqual(rows.Second));
            same &= apart == 0;
            figures[$"{slots[i]}"] = context.Noted($"{slots[i]} slots", new JsonObject
            {
                ["rows_apart"] = apart,
                ["tokens_per_second"] = Math.Round(started[i].Rate, 1),
                ["tokens_per_second_recorded"] = Math.Round(recorded[i].Rate, 1),
            });
        }

        return new(same, new JsonObject { ["slots"] = figures });
    }

    // Numbers of rows by turns, since each is a record of its own; each has been made when it is timed, and its session's memory is there.
    private static List<(IReadOnlyList<int[]> Tokens, double Rate)> Complete(CheckContext context, int[] slots, int tokens, bool recorded)
    {
        using var load = new DecodeLoad(context, new() { CapturesGraphs = recorded });
        return [.. slots.Select(count =>
        {
            load.Complete(count, tokens, SamplingOptions.Greedy);
            var completed = load.Complete(count, tokens, SamplingOptions.Greedy);
            context.Noted($"{count} slots, recorded: {recorded}", new() { ["tokens_per_second"] = Math.Round(completed.Rate, 1) });
            return completed;
        })];
    }
}
