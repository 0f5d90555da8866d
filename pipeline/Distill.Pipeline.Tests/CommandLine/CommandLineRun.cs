using System.Text.Json;
using Distill.Architecture;
using Distill.Cli;
using Distill.Cli.Output;
using Distill.Data.Problems;
using Distill.Student.Model;
using Distill.Tokenization.Training;

namespace Distill.Pipeline.Tests.CommandLine;

/// <summary>One call of the command line within the test process.</summary>
internal sealed record CommandLineRun(int Code, string Out, string Error)
{
    public static CommandLineRun Of(params string[] args) => With("", default, args);

    public static CommandLineRun With(string input, CancellationToken cancellation, params string[] args)
    {
        using var read = new StringReader(input);
        using StringWriter output = new(), error = new();
        int code = DistillCommandLine.Run(args, new ConsoleStreams(read, output, error), TimeProvider.System, cancellation);
        return new(code, output.ToString(), error.ToString());
    }

    /// <summary>Standard output as the one JSON value it must be.</summary>
    public JsonElement Json() => JsonDocument.Parse(Out).RootElement;
}

/// <summary>A checkpoint that knows nothing: a real tokenizer, random weights, a millisecond per answer.</summary>
internal static class TinyCheckpoint
{
    public static string Write(string folder, ulong seed = 1)
    {
        Directory.CreateDirectory(folder);
        var family = ProblemFamilies.Get("arithmetic");
        var texts = Enumerable.Range(0, 200).Select(i => family.Generate(1, i, Split.Train, 1))
            .SelectMany(problem => (string[])[problem.Text, problem.ReferenceSolution!]);
        BytePairTrainer.Train(texts, new BytePairTrainerOptions { VocabularySize = 300 }).Save(folder);
        var encoder = Tokenization.ChatEncoder.Load(folder);
        using var parameters = new FlatParameters(new DecoderArchitecture
        {
            ModelType = "qwen3", VocabularySize = encoder.Tokenizer.VocabularySize, HiddenSize = 16, Layers = 1, Heads = 2,
                KeyValueHeads = 1, HeadSize = 16, IntermediateSize = 32,
            MaxPositions = 512, EosTokenId = encoder.EndToken, PadTokenId = encoder.Tokenizer.PadToken,
        });
        parameters.Initialize(seed);
        Checkpoint.Save(folder, parameters.ToWeightSet(), TokenizerFiles.Read(folder));
        return folder;
    }
}
