#!/usr/bin/env bash
# Prints the ConfigMaps and the Secret that the manifests beside this file mount, made from the same configuration files that every other
# way of deploying uses: deploy/kubernetes/configmaps.sh | kubectl apply -f -
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

configmap() {
    local name=$1
    shift
    kubectl create configmap "$name" --namespace=observability --dry-run=client --output=yaml "${@/#/--from-file=}"
    echo ---
}

configmap metricsd deploy/metricsd/prometheus.yml rules/node.yml rules/stack.yml rules/recording.yml
configmap alertd deploy/alertd/alertmanager.yml
configmap logd deploy/logd/loki-config.yml
configmap agentd promtail.yml=deploy/agentd/promtail-kubernetes.yml
configmap uid datasources.yml=deploy/uid/provisioning/datasources/stack.yml \
    dashboards.yml=deploy/uid/provisioning/dashboards/stack.yml dashboards/stack-overview.json
configmap proxyd deploy/proxyd/traefik.yml deploy/proxyd/dynamic/stack.yml
kubectl create secret generic proxyd-users --namespace=observability --dry-run=client --output=yaml \
    --from-file=deploy/proxyd/users.htpasswd
