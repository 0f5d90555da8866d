using System.Text.Json.Nodes;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Launching;

/// <summary>
/// A job as an Indexed Job of Kubernetes over a PersistentVolumeClaim, in JSON, which is YAML. Every index makes its shard; the last joins
/// them and goes on. An index that fails is begun again by itself, and never before its former pod has ended (<c>podReplacementPolicy:
/// Failed</c>), so that two pods of one index do not run side by side. A second job, which sleeps until it is woken, joins where none of
/// two shards that ended at one moment saw the other's end (a network file system may show it late), or where one never came to an end.
/// </summary>
/// <param name="image">Container image with this program.</param>
/// <param name="claim">Name of the claim; a new one where <paramref name="claimGigabytes"/> is given.</param>
internal sealed class KubernetesManifest(ShardedJob job, string image, string claim, int? claimGigabytes)
{
    private const int GraceSeconds = 120, User = 1000;

    /// <summary>Where the volume is mounted; the recipe and the folder of runs lie below.</summary>
    public const string Mount = "/data";

    private const string Volume = "data", JoinSuffix = "-join";

    public static string FileName(ShardedJob job) => $"{job.Name}.kubernetes.yaml";

    /// <summary>Waits until every shard has ended and wakes the job that joins.</summary>
    public static string Wake(ShardedJob job) => $"kubectl wait --for=condition=complete --timeout=-1s job/{job.Name} && "
        + $"kubectl patch job/{job.Name}{JoinSuffix} --type=merge -p '{{\"spec\":{{\"suspend\":false}}}}'";

    public string Write()
    {
        string heading =
            $"# {job.Name}: {job.Shards} shards; the last one joins them and goes on. Written by 'distill launch --kubernetes'.\n"
            + $"# The volume is mounted at {Mount} and must be writable by several pods at once (ReadWriteMany).\n"
            + $"# Submit with:  kubectl apply -f {FileName(job)}\n"
            + $"# and have it joined whatever happened:  {Wake(job)}\n";
        var documents = claimGigabytes is { } size ? (JsonObject[])[Claim(size), Job(), Join()] : [Job(), Join()];
        return heading + string.Concat(documents.Select(document =>
            "---\n" + document.ToJsonString(new(CanonicalJson.Spelling) { WriteIndented = true, NewLine = "\n" }) + "\n"));
    }

    private JsonObject Claim(int gigabytes) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "PersistentVolumeClaim",
        ["metadata"] = new JsonObject { ["name"] = claim },
        ["spec"] = new JsonObject
        {
            ["accessModes"] = new JsonArray("ReadWriteMany"),
            ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["storage"] = $"{gigabytes}Gi" } },
        },
    };

    private JsonObject Job() => new()
    {
        ["apiVersion"] = "batch/v1",
        ["kind"] = "Job",
        ["metadata"] = new JsonObject { ["name"] = job.Name, ["labels"] = Labels() },
        ["spec"] = new JsonObject
        {
            ["completionMode"] = "Indexed",
            ["completions"] = job.Shards,
            ["parallelism"] = job.Shards,
            ["backoffLimitPerIndex"] = job.Restarts,
            ["maxFailedIndexes"] = job.Shards, // what one shard cannot make, the others' is kept of
            ["podReplacementPolicy"] = "Failed",
            ["template"] = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = Labels() }, ["spec"] = Pod(job.ShardCommand) },
        },
    };

    private JsonObject Join() => new()
    {
        ["apiVersion"] = "batch/v1",
        ["kind"] = "Job",
        ["metadata"] = new JsonObject { ["name"] = job.Name + JoinSuffix, ["labels"] = Labels() },
        ["spec"] = new JsonObject
        {
            ["suspend"] = true,
            ["backoffLimit"] = job.Restarts,
            ["podReplacementPolicy"] = "Failed",
            ["template"] = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = Labels() }, ["spec"] = Pod(job.JoinCommand) },
        },
    };

    private JsonObject Pod(IReadOnlyList<string> command) => new()
    {
        ["restartPolicy"] = "Never",
        ["activeDeadlineSeconds"] = job.Hours * 3600, // of each pod, as --hours says; the job's own would count restarts too
        ["terminationGracePeriodSeconds"] = GraceSeconds,
        ["automountServiceAccountToken"] = false,
        ["securityContext"] = new JsonObject { ["runAsNonRoot"] = true, ["runAsUser"] = User, ["fsGroup"] = User },
        ["containers"] = new JsonArray(new JsonObject
        {
            ["name"] = "distill",
            ["image"] = image,
            ["args"] = Words(command), // after the image's entry point, which is this program
            ["workingDir"] = Mount,
            ["env"] = new JsonArray(new JsonObject { ["name"] = ShardNumber.CountVariable, ["value"] = $"{job.Shards}" }),
            ["resources"] = Resources(),
            ["securityContext"] = new JsonObject
            {
                ["allowPrivilegeEscalation"] = false, ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
            },
            ["volumeMounts"] = new JsonArray(new JsonObject { ["name"] = Volume, ["mountPath"] = Mount }),
        }),
        ["volumes"] = new JsonArray(new JsonObject
        {
            ["name"] = Volume, ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = claim },
        }),
    };

    private JsonObject Resources()
    {
        var limits = new JsonObject { ["memory"] = $"{job.MemoryGigabytes}Gi" };
        if (job.Gpus > 0) limits["nvidia.com/gpu"] = job.Gpus;
        return new JsonObject
        {
            ["requests"] = new JsonObject { ["cpu"] = $"{job.Cpus}", ["memory"] = $"{job.MemoryGigabytes}Gi" }, ["limits"] = limits,
        };
    }

    private JsonObject Labels() => new() { ["app"] = "distill", ["job"] = job.Name };

    private static JsonArray Words(IEnumerable<string> words) => new([.. words.Select(word => (JsonNode?)word)]);
}
