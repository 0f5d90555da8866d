using Distill.Architecture;
using Distill.Export.Adapters;
using Distill.Export.Package;
using Distill.Export.Tests.Support;
using Distill.Generation;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Export.Tests.Adapters;

/// <summary>Adapters beside their base, by ONNX Runtime's own adapter calls: the base without one, the merged model with one.</summary>
public sealed class AdapterExportTests
{
    private const double Tolerance = 1e-4; // of the largest logit
    private static readonly string[] s_all = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
    private static readonly long[] s_ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 11, 12];

    public static TheoryData<string> Families => [.. TinyModels.Families];

    [Theory, MemberData(nameof(Families))]
    public void Runs_switch_between_the_base_and_adapters_of_different_ranks_and_projections(string family)
    {
        var weights = TinyModels.Weights(TinyModels.Family(family));
        using var place = new TemporaryFolder();
        using var wide = TinyAdapter.Make(Path.Combine(place.Path, "wide"), weights.Architecture, 4, 1, s_all);
        using var narrow = TinyAdapter.Make(Path.Combine(place.Path, "narrow"), weights.Architecture, 2, 2, ["q_proj", "v_proj"]);
        string folder = Export(place, weights, ExportPrecision.Single, ("wide", wide), ("narrow", narrow));
        using var session = OnnxRun.Open(Path.Combine(folder, "onnx", ExportPrecision.Single.GraphFile()));
        session.InputNames.ShouldNotContain(name => name.Contains("lora", StringComparison.Ordinal)); // nobody must give them
        string card = File.ReadAllText(Path.Combine(folder, "README.md"));
        card.ShouldNotContain("lora_", Case.Insensitive);
        card.ShouldContain("`adapters/`");
        card.ShouldContain("not tried in this form");
        float[] plain = Logits(weights);
        OnnxRun.RelativeDifference(Run(session, weights.Architecture, null), plain).ShouldBeLessThan(1e-6);
        foreach (var (name, adapter) in ((string, PeftAdapter)[])[("wide", wide), ("narrow", narrow), ("wide", wide)])
        {
            float[] merged = Logits(adapter.Merge(weights));
            OnnxRun.RelativeDifference(plain, merged).ShouldBeGreaterThan(0.01, "the adapter must matter");
            OnnxRun.RelativeDifference(Run(session, weights.Architecture, AdapterPath(folder, name)), merged)
                .ShouldBeLessThan(Tolerance, name);
        }
    }

    [Theory]
    [InlineData(ExportPrecision.Half, 0.01)]
    [InlineData(ExportPrecision.Int8, 0.05)]
    [InlineData(ExportPrecision.Int4, 0.35)]
    public void The_base_may_be_rounded_and_the_adapter_stays_as_it_was(ExportPrecision precision, double tolerance)
    {
        var weights = TinyModels.Weights(TinyModels.Family("qwen3") with { HiddenSize = 64, IntermediateSize = 96 });
        using var place = new TemporaryFolder();
        using var adapter = TinyAdapter.Make(Path.Combine(place.Path, "a"), weights.Architecture, 4, 1, s_all);
        string folder = Export(place, weights, precision, ("a", adapter));
        using var model = OnnxTokenModel.Load(folder, new OnnxModelOptions { IntraOpThreads = 1 });
        float[] plain = new float[s_ids.Length * model.VocabularySize];
        using (var rows = model.Open(1, s_ids.Length)) rows.Prefill(0, [.. s_ids.Select(id => (int)id)], plain);
        OnnxRun.RelativeDifference(plain, Logits(weights)).ShouldBeLessThan(tolerance);
        if (precision == ExportPrecision.Half) return; // its cache is fp16, which the plain run below does not feed
        using var session = OnnxRun.Open(Path.Combine(folder, "onnx", precision.GraphFile()));
        float[] merged = Logits(adapter.Merge(weights));
        double adapted = OnnxRun.RelativeDifference(Run(session, weights.Architecture, AdapterPath(folder, "a")), merged);
        adapted.ShouldBeLessThan(tolerance);
        OnnxRun.RelativeDifference(plain, merged).ShouldBeGreaterThan(2 * adapted, "the base without it must miss");
    }

    [Fact]
    public void GenAI_switches_them_too()
    {
        var weights = TinyModels.Weights(TinyModels.Family("llama"));
        using var place = new TemporaryFolder();
        using var first = TinyAdapter.Make(Path.Combine(place.Path, "first"), weights.Architecture, 4, 1, s_all);
        using var second = TinyAdapter.Make(Path.Combine(place.Path, "second"), weights.Architecture, 3, 2, ["o_proj", "down_proj"]);
        string folder = Export(place, weights, ExportPrecision.Single, ("first", first), ("second", second));
        int[][] expected = [Greedy(weights), Greedy(first.Merge(weights)), Greedy(second.Merge(weights)), Greedy(weights)];
        expected[..3].Select(row => string.Join(' ', row)).Distinct().Count().ShouldBe(3);
        string?[] names = [null, "first", "second", null];
        var runs = names.Select(name => (name, name is null ? null : AdapterPath(folder, name)));
        GenAIRun.Greedy(folder, [.. runs], Prompt, expected[0].Length).ShouldBe(expected);
    }

    [Theory]
    [InlineData("adapter-initial", "logits.initial")]
    [InlineData("adapter-final", "logits.final")]
    public void An_adapter_that_peft_has_saved_gives_peft_s_logits(string name, string expected)
    {
        string source = FixtureFolder.Require("training", "lora");
        var architecture = DecoderConfigJson.Read(Path.Combine(source, "config.json"));
        using var file = SafeTensorsFile.Open(Path.Combine(source, "initial.safetensors"));
        var weights = new WeightSet(
            architecture, ParameterMap.For(architecture).ToDictionary(spec => spec.Name, spec => file.ReadSingles(spec.Name)));
        using var reference = SafeTensorsFile.Open(Path.Combine(source, "reference.safetensors"));
        using var place = new TemporaryFolder();
        using var adapter = PeftAdapter.Open(Path.Combine(source, name), weights.Architecture);
        string folder = Export(place, weights, ExportPrecision.Single, ("trained", adapter));
        using var session = OnnxRun.Open(Path.Combine(folder, "onnx", ExportPrecision.Single.GraphFile()));
        long[] ids = reference.ReadIntegers("input_ids");
        int batch = (int)reference.Entry("input_ids").Shape[0];
        using var options = Active(AdapterPath(folder, "trained"), out var loaded);
        using (loaded)
        {
            float[] logits = OnnxRun.Step(session, weights.Architecture, ids, batch, [], options);
            OnnxRun.RelativeDifference(logits, reference.ReadSingles(expected)).ShouldBeLessThan(Tolerance);
        }
    }

    [Fact]
    public void What_is_no_product_is_refused_with_the_way_out()
    {
        var a = TinyModels.Family("llama");
        using var place = new TemporaryFolder();
        (string, long[])[] whole = [("base_model.model.lm_head.weight", [a.VocabularySize, a.HiddenSize])];
        using var saved = TinyAdapter.Make(Path.Combine(place.Path, "saved"), a, 4, 1, ["q_proj"], whole);
        Should.Throw<InvalidDataException>(() => new AdapterExport([("saved", saved)]).Require(a)).Message.ShouldContain("lm_head");
        using var head = TinyAdapter.Make(Path.Combine(place.Path, "head"), a, 4, 1, ["lm_head"]);
        string message = Should.Throw<InvalidDataException>(() => new AdapterExport([("head", head)]).Require(a)).Message;
        message.ShouldContain("lm_head");
        message.ShouldContain("--adapter");
    }

    [Fact]
    public void A_portable_base_takes_them_too()
    {
        var weights = TinyModels.Weights(TinyModels.Family("llama"));
        using var place = new TemporaryFolder();
        using var adapter = TinyAdapter.Make(Path.Combine(place.Path, "a"), weights.Architecture, 4, 1, s_all);
        string folder = Export(place, weights, new ExportOptions { Portable = true }, ("a", adapter));
        using var session = OnnxRun.Open(Path.Combine(folder, "onnx", ExportPrecision.Single.GraphFile()));
        float[] merged = Logits(adapter.Merge(weights));
        using var options = Active(AdapterPath(folder, "a"), out var loaded);
        using (loaded)
        {
            float[] logits = OnnxRun.Step(session, weights.Architecture, s_ids, 1, [], options);
            OnnxRun.RelativeDifference(logits, merged).ShouldBeLessThan(Tolerance);
        }
    }

    private static int[] Prompt => [3, 1, 4, 1, 5];

    private static string Export(
        TemporaryFolder place, WeightSet weights, ExportPrecision precision, params (string, PeftAdapter)[] adapters) =>
        Export(place, weights, new ExportOptions { Precision = precision }, adapters);

    private static string Export(
        TemporaryFolder place, WeightSet weights, ExportOptions options, params (string, PeftAdapter)[] adapters)
    {
        string folder = Path.Combine(place.Path, "export");
        var export = new AdapterExport(adapters);
        export.Write(folder, weights.Architecture, options.Precision);
        ModelPackage.Write(folder, weights, TinyModels.Tokenizer(weights.Architecture.VocabularySize),
            new PackageDescription { Name = "tiny" }, options with { Adapted = export.Adapted });
        PackageIntegrity.Check(folder, full: true).ShouldBeEmpty();
        return folder;
    }

    private static string AdapterPath(string folder, string name) => Path.Combine(folder, "adapters", name + ".onnx_adapter");

    private static float[] Logits(WeightSet weights)
    {
        using var session = OnnxRun.Open(new DecoderGraph(weights.Architecture).ToBytes(weights));
        return OnnxRun.Logits(session, weights.Architecture, s_ids, 1);
    }

    private static int[] Greedy(WeightSet weights)
    {
        using var model = OnnxTokenModel.FromBytes(
            new DecoderGraph(weights.Architecture).ToBytes(weights), weights.Architecture.MaxPositions, new() { IntraOpThreads = 1 });
        var request = new GenerationRequest { Prompt = Prompt, MaxNewTokens = 24, Seeds = [0] };
        return [.. new BatchGenerator(model).Complete([request])[0][0].Tokens];
    }

    private static float[] Run(InferenceSession session, DecoderArchitecture a, string? adapter)
    {
        if (adapter is null) return OnnxRun.Logits(session, a, s_ids, 1);
        using var options = Active(adapter, out var loaded);
        // In two parts, through the cache.
        using (loaded)
        {
            var state = new Dictionary<string, float[]>();
            return [.. OnnxRun.Step(session, a, s_ids[..7], 1, state, options), .. OnnxRun.Step(session, a, s_ids[7..], 1, state, options)];
        }
    }

    private static RunOptions Active(string path, out OrtLoraAdapter adapter)
    {
        adapter = OrtLoraAdapter.Create(path, null);
        var options = new RunOptions();
        options.AddActiveLoraAdapter(adapter);
        return options;
    }
}
