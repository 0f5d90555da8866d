using System.Text.Json;
using Distill.Pipeline.Models;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Tests.Testing;
using Distill.Templates;
using Distill.Tokenization;

namespace Distill.Pipeline.Tests.Runs;

/// <summary>What does not fit between two models and a recipe is named, each thing by itself; what fits raises no alarm.</summary>
public sealed class ModelFitTests
{
    private const string Turns = "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endfor %}",
        Speak = "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

    private static readonly JsonSerializerOptions Layout =
        new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string Base = Path.Combine(RepositoryFolder.Root, "student/models/tiny-base");

    private static readonly ChatEncoder Good = ChatEncoder.Load(Base);

    private static readonly ModelFacts Fitting = new(Good.Tokenizer.VocabularySize, Good);

    public static TheoryData<string, string[], string> Mismatches => new()
    {
        { "student: other tokenizer", ["teacher.top_log_probabilities=4", "soft_labels.weight=0.5"],
            "soft_labels: teacher and student have different tokenizers" },
        { "student: other tokenizer", ["rl.teacher_weight=1"], "rl.teacher_weight = 1: * these differ: the tokenizers" },
        { "student: larger vocabulary", ["rl.teacher_weight=1"], "these differ: the vocabularies (" },
        { "student: other end", ["rl.teacher_weight=1"], "these differ: the end tokens (<|end|> and <|user|>)" },
        { "student: other template", ["rl.teacher_weight=1"], "these differ: the chat templates" },
        { "student: other end", ["teacher.top_log_probabilities=4", "soft_labels.weight=0.5"],
            "soft_labels: the teacher ends its replies with <|end|>" },
        { "student: other template", ["teacher.top_log_probabilities=4", "soft_labels.weight=0.5"],
            "note soft_labels: the chat templates" },
        { "student: no marks", [], "student.base = *: its tokenizer has no <think> and </think>" },
        { "student: opens thinking", [], "note student.base: its template opens the thinking" },
        { "student: closes thinking", [], "note student.base: its template opens and closes the thinking" },
        { "student: refuses system", ["prompt.system=Think."],
            "student.base = *: its chat template refuses the system message of prompt.student_system: no system" },
        { "teacher: refuses system", ["prompt.system=Think.", "prompt.student_system=\"\""],
            "teacher.model = *: its chat template refuses the system message of prompt.system: no system" },
        { "teacher: drops system", ["prompt.system=Think."], "teacher.model = *: its chat template leaves out the system message" },
        { "teacher: one turn", ["prompt.examples=[ { question: a, answer: b } ]"],
            "teacher.model = *: its chat template refuses the turns of prompt.examples: one turn" },
        { "teacher: last turn alone", ["prompt.examples=[ { question: a, answer: Beta. } ]"],
            "teacher.model = *: its chat template leaves out the turns of prompt.examples" },
        { "teacher: drops question", [], "teacher.model = *: its chat template leaves out the question" },
        { "teacher: other end", [],
            "note teacher.model: its template ends a reply with <|end|>, which is none of its end tokens (<|user|>)" },
        { "teacher: closes thinking", [], "note teacher.model: its prompt ends with the thinking closed" },
        { "teacher: smaller embedding", [], "teacher.model = *: its tokenizer has * they do not belong together" },
        { "student: smaller embedding", [], "student.base = *: its tokenizer has * they do not belong together" },
        { "student: lossy tokenizer", [], "note student.base: its tokenizer cannot write" },
    };

    [Theory, MemberData(nameof(Mismatches))]
    public void Each_mismatch_is_named(string change, string[] overrides, string expected)
    {
        var changed = Changed(change[(change.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        bool isTeacher = change.StartsWith("teacher", StringComparison.Ordinal);
        var fit = ModelFit.Of(SmallRun.Parse(overrides), isTeacher ? changed : Fitting, isTeacher ? Fitting : changed);
        string[] found = [.. fit.Faults.Select(fault => fault.ToString()), .. fit.Notes.Select(note => "note " + note)];
        found.ShouldContain(text => Fits(text, expected), string.Join('\n', found));
        ModelFit.Of(SmallRun.Parse(overrides), Fitting, Fitting).Faults.ShouldBeEmpty();
    }

    [Fact]
    public void A_good_pair_raises_no_alarm_whatever_is_asked_of_it()
    {
        string[] all =
        [
            "prompt.system=Think step by step.", "prompt.examples=[ { question: \"1 + 1?\", answer: \"It is 2.\" } ]",
            "prompt.student_examples=[ { question: a, answer: b } ]", "teacher.top_log_probabilities=4", "soft_labels.weight=0.5",
            "rl.teacher_weight=1",
        ];
        foreach (string[] overrides in (string[][])[[], all])
        {
            var fit = ModelFit.Of(SmallRun.Parse(overrides), Fitting, Fitting);
            fit.Faults.ShouldBeEmpty();
            fit.Notes.ShouldBeEmpty();
        }
    }

    public static TheoryData<string> Folders => FixtureFolder.Rows(
        FixtureFolder.Cases("genai").Concat(FixtureFolder.Cases("hf")).Where(IsModel).Select(folder =>
            $"{Path.GetFileName(Path.GetDirectoryName(folder))}/{Path.GetFileName(folder)}"));

    [Theory, MemberData(nameof(Folders))]
    public void Models_of_reference_implementations_raise_no_alarm(string name)
    {
        var model = ModelFacts.Of(FixtureFolder.Require(name));
        var fit = ModelFit.Of(SmallRun.Parse("student.add_tokens=true", "rl.teacher_weight=1"), model, model);
        fit.Faults.ShouldBeEmpty();
        fit.Notes.ShouldBeEmpty();
    }

    [Fact]
    public void The_shared_model_raises_no_alarm()
    {
        var model = ModelFacts.Of(SharedModel.Require("smollm2-135m-instruct"));
        var fit = ModelFit.Of(SmallRun.Parse("prompt.system=Think.", "student.add_tokens=true", "rl.teacher_weight=1"), model, model);
        fit.Faults.ShouldBeEmpty();
        fit.Notes.ShouldBeEmpty();
    }

    private static bool IsModel(string folder)
    {
        try
        {
            return File.Exists(Path.Combine(folder, "tokenizer.json")) && ModelFacts.Of(folder).VocabularySize > 0;
        }
        catch (Exception fault) when (fault is InvalidDataException or TemplateException)
        {
            return false;
        }
    }

    private static ModelFacts Changed(string change) => change switch
    {
        "other tokenizer" => Facts(
            Tokenizer("\"<|user|>\"", "\"<|asks|>\""), Turns.Replace("m.role", "'x'", StringComparison.Ordinal) + Speak),
        "no marks" => Facts(Tokenizer("\"<think>\"", "\"<thinking>\""), Turns + Speak),
        "lossy tokenizer" => Facts(Tokenizer("\"normalizer\": null", "\"normalizer\": {\"type\": \"Lowercase\"}"), Turns + Speak),
        "larger vocabulary" => Fitting with { VocabularySize = Fitting.VocabularySize + 64 },
        "smaller embedding" => Fitting with { VocabularySize = Fitting.VocabularySize - 1 },
        "other end" => new(Fitting.VocabularySize, new ChatEncoder(
            global::Distill.Tokenization.Tokenizer.FromJson(Json()), new ChatTemplate(Turns + Speak), null,
            [Good.Tokenizer.IdOf("<|user|>")!.Value])),
        "other template" => Facts(Good.Tokenizer, Turns + "{{ ' ' }}" + Speak),
        "opens thinking" => Facts(Good.Tokenizer, Turns + Speak + "{% if add_generation_prompt %}<think>\n{% endif %}"),
        "closes thinking" => Facts(Good.Tokenizer, Turns + Speak + "{% if add_generation_prompt %}<think>\n\n</think>\n\n{% endif %}"),
        "refuses system" => Facts(
            Good.Tokenizer, "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + Turns + Speak),
        "drops system" => Facts(
            Good.Tokenizer, Turns.Replace("messages %}", "messages if m.role != 'system' %}", StringComparison.Ordinal) + Speak),
        "one turn" => Facts(Good.Tokenizer, "{% if messages | length > 1 %}{{ raise_exception('one turn') }}{% endif %}" + Turns + Speak),
        "last turn alone" => Facts(Good.Tokenizer, "{{ '<|user|>' + messages[-1].content + '<|end|>' }}" + Speak),
        "drops question" => Facts(Good.Tokenizer, Speak),
        _ => throw new ArgumentOutOfRangeException(nameof(change), change, null),
    };

    private static ModelFacts Facts(Tokenizer tokenizer, string template) =>
        new(Math.Max(tokenizer.VocabularySize, Fitting.VocabularySize),
            new ChatEncoder(tokenizer, new ChatTemplate(template), null, Good.EndTokens));

    private static Tokenizer Tokenizer(string before, string after)
    {
        string json = Json();
        json.ShouldContain(before);
        return global::Distill.Tokenization.Tokenizer.FromJson(json.Replace(before, after, StringComparison.Ordinal));
    }

    private static string Json() => JsonSerializer.Serialize(
        JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(Base, "tokenizer.json"))),
        Layout);

    // A star stands for anything.
    private static bool Fits(string text, string expected)
    {
        int at = 0;
        foreach (string part in expected.Split('*'))
        {
            int found = text.IndexOf(part, at, StringComparison.Ordinal);
            if (found < 0) return false;
            at = found + part.Length;
        }

        return true;
    }
}
