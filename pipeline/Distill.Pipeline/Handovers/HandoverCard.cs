using System.Text;
using System.Text.Json.Nodes;
using Distill.Data.Publishing.Licences;
using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Handovers;

/// <summary><c>README.md</c> of a hand-over: what lies there, how it is started, and every option beside its counterpart.</summary>
internal static class HandoverCard
{
    public static string Write(
        HandedTraining training, ITrainer trainer, OptionMap options, IReadOnlyList<string> launch, IReadOnlyList<LicensedPart> licences)
    {
        var text = new StringBuilder();
        text.Append($"# {training.Run}: {training.Stage} by {trainer.Name}\n\n");
        text.Append($"A training of the run `{training.Run}`, handed over to be done elsewhere. It begins with `{training.StartName}`\n");
        text.Append($"(`{training.StartDigest[..12]}`). `checkpoint/` is a Hugging Face folder in fp32 with tokenizer, chat template and ");
        text.Append($"generation_config; {Data(training, trainer)}\n\n## Start\n\n");
        foreach (string line in launch) text.Append($"    {line}\n");
        text.Append("\n`handover.json` says what was handed over; keep this folder until the result is back and compared with it.\n\n");
        if (training.Stage == HandedTraining.Reinforcement) text.Append(Rewards(training));
        Options(text, trainer, options);
        text.Append(LicenceMarkdown.Section(licences));
        return text.ToString();
    }

    private static string Data(HandedTraining training, ITrainer trainer) => (training.Stage, trainer.Name) switch
    {
        (HandedTraining.Supervised, "trl") => "the rows of `data/` hold messages, their tokens (`input_ids`) and which of them are learned "
            + "(`completion_mask`): the very ones that the run trains on.",
        (HandedTraining.Supervised, _) => "the rows of `data/` hold `prompt` and `completion`, of which the second is learned.",
        (HandedTraining.Preference, _) => "the rows of `data/` hold the tokens of prompt, right and wrong completion as sampled.",
        _ => "the problems lie beside the rewards that judge completions.",
    };

    private static string Rewards(HandedTraining training)
    {
        var verifiers = training.Problems().Select(problem => problem.Verifier).Distinct().Order(StringComparer.Ordinal);
        return "## Rewards\n\n`answers.py` judges as the recipe does. Where the program `distill` is on PATH (or named by the variable "
            + "`DISTILL`), it decides\nevery verdict itself. Without it `integer`, `choice`, `exact` and `regex` are worked out in Python, "
            + "and `math` by the package\nmath-verify, which reads other spellings. `python answers.py --check` judges the answers of "
            + "`reward-sample.jsonl`, whose verdicts\nare those of this program; training begins with the same check and refuses to go on "
            + "where one differs.\n\n"
            + $"Verifiers of these problems: {string.Join(", ", verifiers.Select(name => $"`{name}`"))}.\n\n";
    }

    private static void Options(StringBuilder text, ITrainer trainer, OptionMap options)
    {
        text.Append($"## Options\n\nTranslated for {trainer.Read}.\n\n");
        text.Append("| recipe | value | there | value | |\n|---|---|---|---|---|\n");
        foreach (var row in options.Rows)
        {
            string match = row.Match switch
            {
                OptionMatch.Same => "", OptionMatch.Near => "differs: ", _ => "**no counterpart**; there is: ",
            };
            string told = row.Theirs is null ? "" : $"`{row.Theirs}`";
            text.Append($"| {Code(row.Ours)} | {Cell(row.Value)} | {told} | {Cell(Value(row))} | {match}{Cell(row.Note)} |\n");
        }

        text.Append('\n');
    }

    private static string Value(MappedOption row) => row.Theirs is null ? ""
        : row.TheirValue is JsonValue value && value.TryGetValue(out string? word) ? word
        : row.TheirValue?.ToJsonString(CanonicalJson.Spelling) ?? "none";

    private static string Code(string name) => name.Length == 0 ? "" : $"`{name}`";

    private static string Cell(string text) => LicenceMarkdown.Cell(text);
}
