using Distill.Pipeline.Runs;

namespace Distill.Pipeline.Graph;

/// <summary>In which order a run does its stages.</summary>
internal static class StageOrder
{
    /// <summary>
    /// One after the other. A shard does not end at the first stage whose units other shards still make: it does its part of all stages
    /// that it can begin, looks at the ones it left once more whenever it got on with another, and ends only then.
    /// </summary>
    /// <param name="stages">Each after what it is made from.</param>
    /// <param name="canBegin">Whether everything is there that a stage is made from.</param>
    /// <param name="make">Returns when the stage is made.</param>
    /// <exception cref="RunEndedException">Others have to do their part first, or there is nothing to do.</exception>
    public static void Do(IEnumerable<IStage> stages, bool isShard, Func<IStage, bool> canBegin, Action<IStage> make)
    {
        var open = stages.ToList();
        while (open.Count > 0)
        {
            RunEndedException? ended = null;
            int before = open.Count;
            foreach (var stage in open.ToList())
            {
                if (isShard && ended is not null && !canBegin(stage)) continue;
                try
                {
                    make(stage);
                    open.Remove(stage);
                }
                catch (RunEndedException others) when (isShard && stage is IDividedStage)
                {
                    ended ??= others;
                }
            }

            if (ended is not null && open.Count == before) throw ended;
        }
    }
}
