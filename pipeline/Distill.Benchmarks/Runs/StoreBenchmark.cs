using System.Text;
using System.Text.Json;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store;
using Distill.Storage;

namespace Distill.Benchmarks.Runs;

/// <summary>
/// Looking things up in a folder of a thousand finished runs of which no two share an artefact. There is no registry: everything is read
/// from manifests, links and the runs' own small files.
/// </summary>
internal sealed class StoreBenchmark : IBenchmark
{
    private const double Limit = 10;

    public string Name => "store";

    public string Summary => "a folder of 1,000 runs: listing runs and artefacts, lineage, and finding one artefact";

    public IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        int runs = context.Quick ? 20 : 1000;
        using var folder = new TemporaryFolder();
        var recipe = (DistillationRecipe)RecipeFile.Parse(PipelineBenchmark.Text, "benchmark.yaml", Repository.Root, []);
        var sample = new SampleRuns(folder.Path, recipe);
        for (int run = 0; run < runs; run++) sample.Make(run);
        context.Log($"    {runs:N0} runs, {sample.Artefacts:N0} artefacts");

        var (list, catalogue, lineage, find) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (int round = 0; round < (context.Quick ? 1 : 3); round++)
        {
            list.Add(context.Seconds(() => Require(RunCatalogue.List(folder.Path).Count(run => run.State == "finished"), runs)));
            catalogue.Add(context.Seconds(() => Require(ArtifactCatalogue.Read(folder.Path, context.Clock).Items.Count, sample.Artefacts)));
            lineage.Add(context.Seconds(() => ReadLineage(folder.Path, $"run-{runs / 2}", context.Clock)));
            var store = new ArtifactStore(Path.Combine(folder.Path, ArtifactStore.FolderName), context.Clock);
            find.Add(1000 * context.Seconds(() => Require(store.Peek(sample.LastKey) is null ? 0 : 1, 1)));
        }

        string note = $"{runs:N0} runs, {sample.Artefacts:N0} artefacts; no registry, no memory of earlier looks";
        return
        [
            Figure.AtMost("runs ls", Limit, new Series(list), "s", note),
            Figure.AtMost("artefacts ls", Limit, new Series(catalogue), "s", "every folder and every manifest of the store"),
            Figure.AtMost("lineage of a model", Limit, new Series(lineage), "s", "the catalogue, and recipes until the models are found"),
            Figure.Plain("one artefact by its key, as a run asks", new Series(find), "ms", "with the digests of its files read anew"),
        ];
    }

    private static void ReadLineage(string folder, string run, TimeProvider clock)
    {
        var catalogue = ArtifactCatalogue.Read(folder, clock);
        var lineage = Lineage.Of(
            catalogue, LineageRoots.Find(catalogue, Path.Combine(folder, run)), new ExternalModels(folder, catalogue.Store.Digests));
        if (lineage.Nodes.Count < 5) throw new InvalidOperationException($"A lineage of {lineage.Nodes.Count} is none.");
    }

    private static void Require(int found, int expected)
    {
        if (found != expected) throw new InvalidOperationException($"{found} were found, not {expected}.");
    }

    /// <summary>Runs as they lie on the disk when they are finished, made without doing anything.</summary>
    private sealed class SampleRuns(string folder, DistillationRecipe recipe)
    {
        private readonly StageGraph graph = StageGraph.For(recipe);
        private readonly ArtifactStore store = new(Path.Combine(folder, ArtifactStore.FolderName), TimeProvider.System);

        public int Artefacts { get; private set; }

        public StoreKey LastKey { get; private set; } = new("", "");

        public void Make(int number)
        {
            var run = new RunFolder(folder, $"run-{number}");
            Directory.CreateDirectory(run.Path);
            run.WriteRecipe(recipe);
            var inputs = new Dictionary<string, StageInput>(ExternalInputs.Of(recipe, graph.Stages, store.Digests));
            var ledger = new Dictionary<string, LedgerEntry>();
            foreach (var declaration in graph.Stages.Select(stage => stage.Declaration))
            {
                var key = StageKey.Of(declaration, inputs);
                LastKey = new StoreKey(declaration.Kind, FileDigest.Of(Encoding.UTF8.GetBytes($"{number} {key.Digest}")));
                var made = Commit(LastKey, declaration, key, [.. declaration.Inputs.Select(name => inputs[name].Digest)], number);
                inputs[declaration.Name] = new StageInput(made.Folder, made.Digest, made);
                run.Link(declaration.Folder, made.Folder);
                ledger[declaration.Name] = new LedgerEntry(key.Digest, 1.5, new Dictionary<string, double> { ["rate"] = 100 });
                Artefacts++;
            }

            File.WriteAllBytes(run.LedgerPath, JsonSerializer.SerializeToUtf8Bytes(ledger, CanonicalJson.Spelling));
            new RunState(RunState.CurrentFormat, RunProgress.Finished, null, run.Path, null, DateTimeOffset.UnixEpoch).Write(run.Path);
        }

        private Artifact Commit(StoreKey key, StageDeclaration declaration, StageKey made, IReadOnlyList<string> parents, int number)
        {
            string place = store.FolderOf(key, 1);
            Directory.CreateDirectory(place);
            byte[] content = Encoding.UTF8.GetBytes($"content of {declaration.Name} in run {number}");
            File.WriteAllBytes(Path.Combine(place, "content"), content);
            var manifest = new ArtifactManifest
            {
                Kind = declaration.Kind, StageVersion = declaration.Version, Parents = [.. parents.Distinct()],
                Files = [new ArtifactFile("content", content.Length, FileDigest.Of(content))],
                Facts = new Dictionary<string, string>
                {
                    [StageKey.DigestFact] = made.Digest, [StageKey.TextFact] = made.Text, [StageKey.SummaryFact] = "what came out",
                },
            };
            File.WriteAllBytes(ManifestFile.PathFor(place, 1), manifest.ToFile());
            return Artifact.Open(place);
        }
    }
}
