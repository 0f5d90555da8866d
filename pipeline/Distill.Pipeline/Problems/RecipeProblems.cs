using System.Runtime.CompilerServices;
using System.Text;
using Distill.Data.Problems;
using Distill.Data.Sources;
using Distill.Data.Sources.Selection;
using Distill.Pipeline.Recipes.Sections;
using Distill.Storage;

namespace Distill.Pipeline.Problems;

/// <summary>
/// The problems of a recipe that names sources. Files are looked for once; what is in them is read once for check and stages together and
/// let go when memory is needed elsewhere. Safe for concurrent use.
/// </summary>
internal sealed class RecipeProblems
{
    private static readonly ConditionalWeakTable<ProblemSection, RecipeProblems> Known = [];

    private readonly Lock gate = new();
    private readonly ProblemSection section;
    private readonly Lazy<IReadOnlyList<ResolvedSource>> sources;
    private WeakReference<ProblemPool>? kept;

    private RecipeProblems(ProblemSection section)
    {
        this.section = section;
        // Of a fault, e.g. a Hub that is not reached, nothing is kept: the next who asks tries again.
        sources = new(() => [.. section.AllSources.Select(entry => ResolvedSource.Of(entry, default))],
            LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>Asked, then of test problems alone, then kept away from: in the order of the recipe.</summary>
    /// <exception cref="InvalidDataException">One names no files.</exception>
    /// <exception cref="IOException">A data set of the Hub cannot be had.</exception>
    public IReadOnlyList<ResolvedSource> Sources => sources.Value;

    public static RecipeProblems Of(ProblemSection section) => Known.GetValue(section, key => new RecipeProblems(key));

    /// <summary>Of all files, by which artefacts are found again.</summary>
    public string DigestOf(DigestMemory memory) =>
        FileDigest.Of(Encoding.UTF8.GetBytes(string.Join('\n', Sources.Select(source => source.DigestOf(memory)))));

    /// <summary>Everything that the sources have, held apart.</summary>
    /// <exception cref="BadRowsException">Rows are no problems, and the recipe does not pass over them.</exception>
    /// <exception cref="InvalidDataException">A file cannot be read.</exception>
    public ProblemPool Pool(CancellationToken cancellation)
    {
        lock (gate)
        {
            if (kept is not null && kept.TryGetTarget(out var known)) return known;
            var pool = ProblemPool.Gather([.. Entries().Where(entry => entry.Pooled is not null).Select(entry => entry.Pooled!)], Options(),
                cancellation);
            kept = new WeakReference<ProblemPool>(pool);
            return pool;
        }
    }

    /// <summary>The problems of a split.</summary>
    /// <exception cref="InvalidDataException">There are too few; says what to lower.</exception>
    public IReadOnlyList<Problem> Take(Split split, int count, CancellationToken cancellation)
    {
        var entries = new List<MixtureEntry>();
        int pooled = 0;
        foreach (var (source, isKeptAway, isTest, inPool) in Entries())
        {
            if (!isKeptAway)
            {
                entries.Add(new MixtureEntry(source.Section.Name, source.ToPart(), pooled, isTest ? Split.Test : source.Section.Goes(),
                    source.Section.Weight));
            }

            if (inPool is not null) pooled++;
        }

        return new ProblemMixture(entries, Pool(cancellation), (ulong)section.Seed).Take(split, count);
    }

    /// <summary>
    /// What is asked, source by source, as a run grades and splits it, repetitions not yet taken out. Read only as far as it is consumed:
    /// a file of a million rows is no reason to wait. Rows that are no problems are passed over.
    /// </summary>
    /// <param name="most">Of each generated family; never more than the recipe wants of its split.</param>
    public IEnumerable<Problem> Preview(int most)
    {
        var pool = Options();
        foreach (var (source, isKeptAway, isTest, pooled) in Entries())
        {
            if (isKeptAway) continue;
            Split? goes = isTest ? Split.Test : source.Section.Goes();
            var problems = pooled is null
                ? Drawn(source, goes ?? Split.Train, most)
                : pooled.Source.Read().Select(item => item.Problem).OfType<Problem>()
                    .Where(problem => pool.Verifiers.TryGet(problem.Verifier)?.FaultOf(problem) is null);
            foreach (var problem in problems) yield return problem with { Split = goes ?? pool.SplitOf(problem) };
        }
    }

    private List<Problem> Drawn(ResolvedSource family, Split split, int most)
    {
        int wanted = split switch { Split.Train => section.Train, Split.Test => section.Test, _ => section.Validation };
        return ProblemSet.Distinct(family.ToPart()!, (ulong)section.Seed, split, Math.Min(most, wanted), new(StringComparer.Ordinal));
    }

    private IEnumerable<(ResolvedSource Source, bool IsKeptAway, bool IsTest, PoolSource? Pooled)> Entries()
    {
        string? verifier = section.Verifier == ProblemMaker.Auto ? null : section.Verifier;
        foreach (var (index, source) in Sources.Index())
        {
            bool isTest = index >= section.Sources.Count, isKeptAway = index >= section.Sources.Count + section.TestSources.Count;
            var read = source.ToSource(verifier, questionsOnly: isKeptAway);
            yield return (source, isKeptAway, isTest && !isKeptAway, read is null ? null
                : new PoolSource(read, isTest ? Split.Test : source.Section.Goes()) { IsKeptAway = isKeptAway });
        }
    }

    private PoolOptions Options() => new()
    {
        SkipsBadRows = section.OnBadRow == BadRows.Skip,
        NearDuplicates = section.NearDuplicates,
        SharedWords = section.SharedWords,
        // A family that is there for a split alone holds none out of files; nor is anything held out for what nobody asks for.
        OwnSplits =
        [
            .. section.TestSources.Select(_ => Split.Test), .. section.Sources.Select(source => source.Goes()).OfType<Split>(),
            .. section.Validation == 0 ? [Split.Validation] : Array.Empty<Split>(),
        ],
    };
}
