using System.Text.Encodings.Web;
using System.Text.Json;
using Distill.Data.Problems;
using Distill.Data.Publishing.Formats;
using Distill.Pipeline.Stages.Training;
using Distill.Student.Training;
using Distill.Teacher;
using Distill.Tokenization;
using Distill.Verification;
using Distill.Verification.Named;

namespace Distill.Pipeline.Handovers;

/// <summary>
/// What a training learns from as JSON lines. Rows hold the tokens that the run itself would train on beside the messages they are made of:
/// a trainer that reads tokens learns the very same.
/// </summary>
internal sealed class HandedData(HandedTraining training)
{
    private const int SampleOfEach = 100, MostSampledProblems = 2_000;

    private static readonly JsonWriterOptions Spelling = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ChatEncoder encoder = training.Student.Encoder;

    /// <summary>Examples of fine-tuning: <c>prompt, completion, input_ids, completion_mask, problem_id</c>.</summary>
    /// <param name="heldOut">Whether those that are held out are written, or those that are learned.</param>
    /// <returns>Rows.</returns>
    public int Supervised(string path, bool heldOut)
    {
        var section = training.Recipe.Sft;
        var kept = training.Traces().Where(example => heldOut == SupervisedExamples.IsHeldOut(
            example.Trace.Problem.Id, section.HeldOut?.LossShare, (ulong)section.Seed));
        return Write(path, kept, (row, example) =>
        {
            Messages(row, "prompt", encoder.Style.Apply(ProblemPrompt.Messages(example.Trace.Problem)));
            Messages(row, "completion", [ChatMessage.Assistant(Completion(example.Trace.Reasoning, example.Trace.Answer!))]);
            Numbers(row, "input_ids", example.Example.Tokens);
            Numbers(row, "completion_mask", example.Example.Tokens.Select((_, place) => place < example.Example.FirstSupervised ? 0 : 1));
            row.WriteString("problem_id", example.Trace.Problem.Id);
        });
    }

    /// <summary>Share of the examples whose tokens are those that the chat template gives the messages of the row.</summary>
    public double RenderedAlike()
    {
        int alike = 0, all = 0;
        foreach (var (trace, example) in training.Traces())
        {
            var chat = encoder.Style.Apply(ProblemPrompt.Messages(trace.Problem));
            var reply = ChatMessage.Assistant(Completion(trace.Reasoning, trace.Answer!));
            string text = encoder.Render(new Dictionary<string, JsonElement>
            {
                ["messages"] = JsonSerializer.SerializeToElement(chat.Append(reply)
                    .Select(message => new { role = message.Role, content = message.Content })),
                ["add_generation_prompt"] = JsonSerializer.SerializeToElement(false),
            });
            all++;
            if (encoder.Tokenizer.Encode(text, allowSpecial: true).AsSpan().StartsWith([.. example.Tokens])) alike++;
        }

        return all == 0 ? 1 : (double)alike / all;
    }

    /// <summary>Pairs: <c>prompt_ids, chosen_ids, rejected_ids</c>, and the texts of both completions.</summary>
    public int Pairs(string path) => Write(path, training.Pairs.Pairs, (row, pair) =>
    {
        Numbers(row, "prompt_ids", pair.Chosen.Tokens.Take(pair.Chosen.FirstSupervised));
        foreach (var (name, side) in ((string, TrainingSequence)[])[("chosen", pair.Chosen), ("rejected", pair.Rejected)])
        {
            int[] ids = [.. side.Tokens.Skip(side.FirstSupervised)];
            Numbers(row, name + "_ids", ids);
            row.WriteString(name, encoder.Tokenizer.Decode(ids, skipSpecial: false));
        }
    });

    /// <summary>Prompts of reinforcement: <c>prompt, problem_id</c>, and <c>prompt_ids</c> to check the template by.</summary>
    public int Prompts(string path, bool tokens) => Write(path, training.Problems(), (row, problem) =>
    {
        Messages(row, "prompt", encoder.Style.Apply(ProblemPrompt.Messages(problem)));
        row.WriteString("problem_id", problem.Id);
        if (tokens) Numbers(row, "prompt_ids", encoder.EncodePrompt(ProblemPrompt.Messages(problem)));
    });

    /// <summary>The training problems with the verifier that decides each; <c>auto</c> is resolved.</summary>
    public int Problems(string path)
    {
        Problem[] problems = [.. training.Problems().Select(problem => problem with
            { Verifier = problem.Verifier == "auto" ? AutoVerifier.ChosenFor(problem).Name : problem.Verifier })];
        // The verifier is written also where it is called like the source, for readers that know no such default.
        return Write(path, problems, (row, problem) =>
        {
            row.WriteString("problem_id", problem.Id);
            row.WriteString("source", problem.Source);
            row.WriteString("domain", problem.Domain);
            row.WriteString("split", "train");
            row.WriteNumber("level", problem.Level);
            row.WriteString("problem", problem.Text);
            row.WriteString("reference_answer", problem.ReferenceAnswer);
            row.WriteString("signature", problem.Signature);
            row.WriteString("verifier", problem.Verifier);
            row.WriteStartArray("choices");
            foreach (string choice in problem.Choices) row.WriteStringValue(choice);
            row.WriteEndArray();
        });
    }

    /// <summary>
    /// Answers with the verdicts of the run's verifiers: the teacher's, the references in several spellings, and references of other
    /// problems, which are mostly wrong.
    /// </summary>
    public int Sample(string path)
    {
        Problem[] problems = [.. training.Problems().Take(MostSampledProblems)];
        var byId = problems.ToDictionary(problem => problem.Id, StringComparer.Ordinal);
        var answers = training.Graded().Where(trace => byId.ContainsKey(trace.Problem.Id))
            .Select(trace => (Problem: byId[trace.Problem.Id], trace.Answer))
            .Concat(problems.SelectMany((problem, place) => Spellings(problem, problems[(place + 1) % problems.Length])));
        var rows = answers.Select(pair => (pair.Problem, pair.Answer,
                Verdict: ProblemVerifiers.Standard.Of(pair.Problem).Verify(pair.Answer, pair.Problem)))
            .Distinct().GroupBy(row => row.Verdict).OrderBy(group => group.Key).SelectMany(group => group.Take(SampleOfEach));
        return Write(path, rows, (row, sample) =>
        {
            row.WriteString("problem_id", sample.Problem.Id);
            row.WriteString("answer", sample.Answer);
            row.WriteString("verdict", VerdictName.Of(sample.Verdict));
        });
    }

    private static IEnumerable<(Problem Problem, string? Answer)> Spellings(Problem problem, Problem other)
    {
        string right = problem.ReferenceAnswer, wrong = other.ReferenceAnswer;
        string[] answers = [right, $"The answer is {right}.", $"So \\boxed{{{right}}}", wrong, $"#### {wrong}", "I do not know"];
        foreach (string answer in answers)
            yield return (problem, answer);
        yield return (problem, null);
    }

    private string Completion(string reasoning, string answer) =>
        encoder.MarksThinking ? $"{ThinkMarks.Open}{reasoning}{ThinkMarks.Close}{answer}" : answer;

    private static int Write<T>(string path, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var stream = new FileStream(path, FileMode.CreateNew);
        using var row = new Utf8JsonWriter(stream, Spelling);
        int count = 0;
        foreach (var item in items)
        {
            row.WriteStartObject();
            write(row, item);
            row.WriteEndObject();
            row.Flush();
            stream.WriteByte((byte)'\n');
            row.Reset();
            count++;
        }

        return count;
    }

    private static void Messages(Utf8JsonWriter row, string name, IEnumerable<ChatMessage> messages)
    {
        row.WriteStartArray(name);
        foreach (var message in messages) ChatMessages.Write(row, message.Role, message.Content);
        row.WriteEndArray();
    }

    private static void Numbers(Utf8JsonWriter row, string name, IEnumerable<int> numbers)
    {
        row.WriteStartArray(name);
        foreach (int number in numbers) row.WriteNumberValue(number);
        row.WriteEndArray();
    }
}
